/** Changed partitions as records: in few bytes where only the state changed, which is what happens to thousands at a time. */
import { naruVersion } from './feature-levels.ts'
import type { MetadataImage, PartitionImage, PartitionState } from './image.ts'
import { type MetadataRecord, statesLevel } from './records.ts'

export interface ChangedPartition {
  readonly before: PartitionImage
  readonly after: PartitionImage
}

/** In the order of the changes; those of one topic that follow each other share a record. */
export function partitionRecords(
  image: MetadataImage,
  changes: readonly ChangedPartition[],
): MetadataRecord[] {
  const knowsStates = (image.features.get(naruVersion) ?? 0) >= statesLevel
  const records: MetadataRecord[] = []
  let topicId = ''
  let states: PartitionState[] = []
  for (const { before, after } of changes) {
    if (!knowsStates || !isStateChange(before, after)) {
      records.push({ type: 'partition', ...after })
      topicId = ''
      continue
    }
    if (after.topicId !== topicId) {
      topicId = after.topicId
      states = []
      records.push({ type: 'partitionStates', topicId, partitions: states })
    }
    states.push(after)
  }
  return records
}

/** Whether nothing else is different. What a change leaves alone is the same object afterwards. */
function isStateChange(before: PartitionImage, after: PartitionImage): boolean {
  return (
    after.replicas === before.replicas &&
    after.directories === before.directories &&
    after.minIsr === before.minIsr &&
    after.isFlushed === before.isFlushed &&
    after.isRecovering === before.isRecovering &&
    after.addingReplicas === before.addingReplicas &&
    after.removingReplicas === before.removingReplicas &&
    after.removedReplicas === before.removedReplicas
  )
}
