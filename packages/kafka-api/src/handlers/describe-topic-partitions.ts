import type { PartitionImage, TopicImage } from '@naru/metadata'
import { kafkaErrors, zeroTopicId } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import { topicOperations } from '../errors.ts'
import type { Ports } from '../ports.ts'

type Request = RequestOf<typeof apis.describeTopicPartitions>
type Response = ResponseOf<typeof apis.describeTopicPartitions>
type Topic = Response['topics'][number]

/** `max.request.partition.size.limit` */
const partitionsMax = 2000

/** Pages through topics by name; the cursor names the next partition to describe. */
export function describeTopicPartitions({
  metadata,
  partitions,
}: Pick<Ports, 'metadata' | 'partitions'>) {
  return defineHandler(apis.describeTopicPartitions, (request) => {
    const { image } = metadata
    const isOnline = (topic: TopicImage, { partition }: PartitionImage) =>
      partitions.get(topic.name, partition)?.isOnline ?? false
    let room = Math.min(Math.max(1, request.responsePartitionLimit), partitionsMax)
    const topics: Topic[] = []
    for (const { name, first } of namesFrom(request, [...image.topics.keys()])) {
      const topic = image.topics.get(name)
      if (topic === undefined) {
        topics.push(unknown(name))
        continue
      }
      if (room === 0) return page(topics, { topicName: name, partitionIndex: first })
      const described = topic.partitions.slice(first, first + room)
      room -= described.length
      topics.push(present(topic, described, isOnline))
      const next = first + described.length
      if (next < topic.partitions.length) {
        return page(topics, { topicName: name, partitionIndex: next })
      }
    }
    return page(topics, null)
  })
}

/** The names asked for, or all, in order, from the cursor on. */
function namesFrom(request: Request, all: string[]): { name: string; first: number }[] {
  const { cursor } = request
  const names = request.topics.length === 0 ? all : request.topics.map(({ name }) => name)
  return [...new Set(names)]
    .sort()
    .filter((name) => cursor === null || name >= cursor.topicName)
    .map((name) => ({
      name,
      first: cursor?.topicName === name ? Math.max(0, cursor.partitionIndex) : 0,
    }))
}

function page(topics: Topic[], nextCursor: Response['nextCursor']): Response {
  return { throttleTimeMs: 0, topics, nextCursor }
}

function unknown(name: string): Topic {
  return {
    errorCode: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION.code,
    name,
    topicId: zeroTopicId,
    isInternal: false,
    partitions: [],
    topicAuthorizedOperations: topicOperations,
  }
}

function present(
  topic: TopicImage,
  partitions: readonly PartitionImage[],
  isOnline: (topic: TopicImage, partition: PartitionImage) => boolean,
): Topic {
  return {
    errorCode: kafkaErrors.NONE.code,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: false,
    partitions: partitions.map((partition) => ({
      errorCode: kafkaErrors.NONE.code,
      partitionIndex: partition.partition,
      leaderId: isOnline(topic, partition) ? partition.leader : -1,
      leaderEpoch: partition.leaderEpoch,
      replicaNodes: [...partition.replicas],
      isrNodes: [...partition.isr],
      eligibleLeaderReplicas: [],
      lastKnownElr: [],
      offlineReplicas: isOnline(topic, partition) ? [] : [...partition.replicas],
    })),
    topicAuthorizedOperations: topicOperations,
  }
}
