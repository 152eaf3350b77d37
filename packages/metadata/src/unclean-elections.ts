/** Partitions that nobody leads, and that one may lead that lacks records: their topic allows it (`unclean.leader.election.enable`). */
import type { NodeId, TopicId } from '@naru/model'
import type { ControllerSettings } from './controller-settings.ts'
import type { Candidate } from './elections.ts'
import type { MetadataImage } from './image.ts'
import type { MetadataRecord } from './records.ts'
import { changeContext, topicSetting } from './replicas.ts'

export const uncleanElectionKey = 'unclean.leader.election.enable'

export interface AskedReplicas {
  readonly topicId: TopicId
  readonly partition: number
  readonly replicas: readonly NodeId[]
}

/** Asks the replicas of each partition how far they go; those that do not answer in time are left out. */
export type LogEnds = (
  partitions: readonly AskedReplicas[],
) => Promise<readonly (readonly Candidate[])[]>

export function allowsUnclean(
  image: MetadataImage,
  topic: string,
  settings: ControllerSettings,
): boolean {
  return topicSetting(image, topic, { name: uncleanElectionKey, settings }) === 'true'
}

/** With the replicas that could lead. Where all are away there is nothing to elect. */
export function* electableUncleanly(
  image: MetadataImage,
  settings: ControllerSettings,
): Generator<AskedReplicas> {
  for (const { name, topicId, partitions } of image.topics.values()) {
    const { activityOf } = changeContext(image, name, { settings })
    let isAllowed: boolean | undefined
    for (const each of partitions) {
      if (each.leader !== -1) continue
      isAllowed ??= allowsUnclean(image, name, settings)
      if (!isAllowed) break
      const replicas = each.replicas.filter((id) => activityOf(each, id) === 'active')
      if (replicas.length > 0) yield { topicId, partition: each.partition, replicas }
    }
  }
}

/** Whether after these records there may be more to elect than before them. */
export function mayNeedUnclean(records: readonly MetadataRecord[]): boolean {
  return records.some((record) => {
    switch (record.type) {
      case 'partition':
        return record.leader === -1
      case 'partitionStates':
        return record.partitions.some(({ leader }) => leader === -1)
      case 'brokerState':
        return !record.isFenced
      case 'config':
        return record.name === uncleanElectionKey
      default:
        return false
    }
  })
}
