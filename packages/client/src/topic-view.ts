/** A topic as the metadata of a cluster shows it. */
import { zeroTopicId } from '@naru/model'
import type { apis, ResponseOf } from '@naru/protocol'

export interface TopicView {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly {
    readonly partition: number
    /** -1 when there is none at the moment. */
    readonly leader: number
    readonly leaderEpoch: number
    readonly replicas: readonly number[]
    readonly isr: readonly number[]
  }[]
}

export function topicViewOf(topic: ResponseOf<typeof apis.metadata>['topics'][number]): TopicView {
  return {
    name: topic.name ?? '',
    topicId: topic.topicId,
    partitions: topic.partitions
      .map((partition) => ({
        partition: partition.partitionIndex,
        leader: partition.leaderId,
        leaderEpoch: partition.leaderEpoch,
        replicas: partition.replicaNodes,
        isr: partition.isrNodes,
      }))
      .sort((a, b) => a.partition - b.partition),
  }
}

/** Of what was known and what a broker says now, which may be behind: of each partition what is of the later leader epoch (KIP-320). */
export function newerOf(known: TopicView | undefined, found: TopicView): TopicView {
  const isSame = known?.topicId === found.topicId && found.topicId !== zeroTopicId
  if (known === undefined || !isSame) return found
  const before = new Map(known.partitions.map((each) => [each.partition, each]))
  const partitions = found.partitions.map((each) => {
    const old = before.get(each.partition)
    return old !== undefined && old.leaderEpoch > each.leaderEpoch ? old : each
  })
  return { ...found, partitions }
}
