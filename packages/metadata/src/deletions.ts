/** Brokers confirm that replicas are gone which a record took from them. */
import type { NodeId, TopicId } from '@naru/model'
import type { Decision } from './decision.ts'
import type { MetadataImage } from './image.ts'
import type { MetadataRecord } from './records.ts'

export interface ConfirmedDeletions {
  readonly nodeId: NodeId
  readonly deletions: readonly {
    readonly topicId: TopicId
    /** -1 for all partitions of a deleted topic. */
    readonly partition: number
  }[]
}

/** What nobody waits for is passed over, so that a confirmation can be repeated. */
export function decideConfirmDeletion(
  image: MetadataImage,
  { nodeId, deletions }: ConfirmedDeletions,
): Decision<object> {
  const records: MetadataRecord[] = []
  for (const { topicId, partition } of deletions) {
    const holders =
      partition === -1
        ? image.deletedTopics.get(topicId)?.holders
        : image.topicsById.get(topicId)?.partitions[partition]?.removedReplicas
    if (!holders?.includes(nodeId)) continue
    records.push({ type: 'deletionConfirmed', topicId, partition, nodeId })
  }
  return { records, response: {} }
}
