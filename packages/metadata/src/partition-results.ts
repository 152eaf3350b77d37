/** Requests about many partitions, each of which is decided and answered by itself. */
import { kafkaErrors, type TopicId } from '@naru/model'
import { type Decision, isRefusal, type Refusal, refusal } from './decision.ts'
import type { MetadataImage, PartitionImage } from './image.ts'
import type { MetadataRecord } from './records.ts'

export interface PartitionResult {
  readonly topicId: TopicId
  readonly partition: number
  readonly errorCode: number
  readonly message: string
}

interface Asked {
  readonly topicId: TopicId
  readonly partition: number
}

/** `decideOne` is given the partition as it is, and the name of its topic. */
export function decideEach<A extends Asked>(
  image: MetadataImage,
  asked: readonly A[],
  decideOne: (
    asked: A,
    found: { readonly topic: string; readonly before: PartitionImage },
  ) => readonly MetadataRecord[] | Refusal,
): Decision<{ readonly partitions: readonly PartitionResult[] }> {
  const records: MetadataRecord[] = []
  const seen = new Set<PartitionImage>()
  const partitions = asked.map((one) => {
    const { topicId, partition } = one
    const found = findPartition(image, one, seen)
    const decided = isRefusal(found) ? found : decideOne(one, found)
    if ('error' in decided) {
      return { topicId, partition, errorCode: decided.error.code, message: decided.message }
    }
    records.push(...decided)
    return { topicId, partition, errorCode: kafkaErrors.NONE.code, message: '' }
  })
  return { records, response: { partitions } }
}

function findPartition(
  image: MetadataImage,
  { topicId, partition }: Asked,
  seen: Set<PartitionImage>,
): { topic: string; before: PartitionImage } | Refusal {
  const topic = image.topicsById.get(topicId)
  const before = topic?.partitions[partition]
  if (topic === undefined || before === undefined) {
    const message = `Partition ${partition} of ${topic?.name ?? topicId} does not exist`
    return refusal(kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, message)
  }
  if (seen.has(before)) return refusal(kafkaErrors.INVALID_REQUEST, 'The request names it twice')
  seen.add(before)
  return { topic: topic.name, before }
}
