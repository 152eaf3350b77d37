/** Replicas whose brokers have found them to lack what they once had: they are not in sync, nor eligible, before they are filled again. */
import type { TopicId } from '@naru/model'
import { type BrokerKey, currentBroker } from './brokers.ts'
import type { DecideContext } from './controller-settings.ts'
import { type Decision, isRefusal, type Refusal } from './decision.ts'
import type { BrokerImage, MetadataImage, PartitionImage } from './image.ts'
import { changedPartition } from './partition-change.ts'
import { type ChangedPartition, partitionRecords } from './partition-records.ts'
import { changeContext, isActive, isDirectoryOnline } from './replicas.ts'

/**
 * `end`: what is left is good, and more was there, or may have been. `everything`: nothing that is left is to be relied on. `unknown`:
 * nothing is there, and perhaps nothing was, since the process before ended when the partition had just been made.
 */
export const losses = ['end', 'everything', 'unknown'] as const

export interface LostReplica {
  readonly topicId: TopicId
  readonly partition: number
  readonly lost: (typeof losses)[number]
}

export interface JudgedReplica {
  readonly topicId: TopicId
  readonly partition: number
  /** It counts for nothing any more, and may be filled anew. Else nobody else has as much: it stays what it was. */
  readonly isGivenUp: boolean
}

export function decideLostReplicas(
  image: MetadataImage,
  request: BrokerKey & { readonly isStarting: boolean; readonly replicas: readonly LostReplica[] },
  context: DecideContext,
): Decision<{ readonly replicas: readonly JudgedReplica[] } | Refusal> {
  const broker = currentBroker(image, request)
  if (isRefusal(broker)) return { records: [], response: broker }
  const changes: ChangedPartition[] = []
  const seen = new Set<PartitionImage>()
  const replicas = request.replicas.map(({ topicId, partition, lost }) => {
    const topic = image.topicsById.get(topicId)
    const before = topic?.partitions[partition]
    const isMissing = request.isStarting && lost !== 'unknown'
    const isKnown = before?.replicas.includes(broker.nodeId) ?? false
    const isReplaceable = before !== undefined && mayGiveUp(image, { broker, before, isMissing })
    const isGivenUp = isKnown && isReplaceable
    if (topic === undefined || before === undefined || !isGivenUp || seen.has(before)) {
      return { topicId, partition, isGivenUp }
    }
    seen.add(before)
    const { nodeId } = broker
    const targetIsr = before.isr.filter((other) => other !== nodeId)
    // Of a process that has followed nobody no leader has heard anything.
    const isEmptied = lost === 'everything' && !request.isStarting
    const unclean = { nodeId, lost: lost === 'end' ? lost : 'everything' } as const
    const change = { targetIsr, unclean, isEmptied }
    const after = changedPartition(before, change, changeContext(image, topic.name, context))
    if (after !== before) changes.push({ before, after })
    return { topicId, partition, isGivenUp }
  })
  return { records: partitionRecords(image, changes), response: { replicas } }
}

/**
 * Not the last replica that is complete: what is readable of it is better than nothing. One whose records are missing must not lead even
 * then, since the others would cut their logs to its own: which of them has most is asked in an unclean election.
 */
function mayGiveUp(
  image: MetadataImage,
  lost: { broker: BrokerImage; before: PartitionImage; isMissing: boolean },
): boolean {
  const { broker, before, isMissing } = lost
  const { nodeId } = broker
  const { isr, elr, replicas } = before
  if (isMissing && replicas.length > 1) return true
  const others = isr.filter((other) => other !== nodeId)
  if (!isr.includes(nodeId)) return others.length > 0 || elr.some((other) => other !== nodeId)
  return others.some((other) => {
    const candidate = image.brokers.get(other)
    return candidate !== undefined && isActive(candidate) && isDirectoryOnline(candidate, before)
  })
}
