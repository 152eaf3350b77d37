import type { PartitionImage, TopicImage } from '@naru/metadata'
import {
  invalidTopicName,
  isInternalTopic,
  type KafkaError,
  kafkaErrors,
  zeroTopicId,
} from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import { operationsNotAsked, topicOperations } from '../errors.ts'
import type { Ports } from '../ports.ts'
import { replicaView } from '../replica-view.ts'

type Request = RequestOf<typeof apis.describeTopicPartitions>
type Response = ResponseOf<typeof apis.describeTopicPartitions>
type Topic = Response['topics'][number]

/** Pages through topics by name; the cursor names the next partition to describe. */
export function describeTopicPartitions({
  nodeId,
  metadata,
  partitions,
  limits,
}: Pick<Ports, 'nodeId' | 'metadata' | 'partitions' | 'limits'>) {
  return defineHandler(apis.describeTopicPartitions, (request) => {
    const { image } = metadata
    if (!isCursorValid(request)) return refused(request)
    const ports = { nodeId, metadata, partitions }
    let room = Math.max(1, Math.min(request.responsePartitionLimit, limits.describedPartitionsMax))
    const topics: Topic[] = []
    for (const { name, first } of namesFrom(request, [...image.topics.keys()])) {
      const topic = image.topics.get(name)
      if (topic === undefined) {
        const isInvalid = invalidTopicName(name) !== undefined
        const { INVALID_TOPIC_EXCEPTION, UNKNOWN_TOPIC_OR_PARTITION } = kafkaErrors
        topics.push(absent(name, isInvalid ? INVALID_TOPIC_EXCEPTION : UNKNOWN_TOPIC_OR_PARTITION))
        continue
      }
      if (room === 0) return page(topics, { topicName: name, partitionIndex: first })
      const described = topic.partitions.slice(first, first + room)
      room -= described.length
      topics.push(present(topic, described, ports))
      const next = first + described.length
      if (next < topic.partitions.length) {
        return page(topics, { topicName: name, partitionIndex: next })
      }
    }
    return page(topics, null)
  })
}

/** A cursor names a topic that is asked about, unless all are. */
function isCursorValid({ cursor, topics }: Request): boolean {
  if (cursor === null) return true
  const isAmong = topics.length === 0 || topics.some(({ name }) => name === cursor.topicName)
  return isAmong && cursor.partitionIndex >= 0
}

function refused({ topics }: Request): Response {
  const operations = { topicAuthorizedOperations: operationsNotAsked }
  const error = kafkaErrors.INVALID_REQUEST
  return page(
    topics.map(({ name }) => ({ ...absent(name, error), ...operations })),
    null,
  )
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
      first: cursor?.topicName === name ? cursor.partitionIndex : 0,
    }))
}

function page(topics: Topic[], nextCursor: Response['nextCursor']): Response {
  return { throttleTimeMs: 0, topics, nextCursor }
}

function absent(name: string, error: KafkaError): Topic {
  return {
    errorCode: error.code,
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
  ports: Pick<Ports, 'nodeId' | 'metadata' | 'partitions'>,
): Topic {
  return {
    errorCode: kafkaErrors.NONE.code,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: isInternalTopic(topic.name),
    partitions: partitions.map((partition) => {
      const { leaderId, offlineReplicas } = replicaView(topic.name, partition, ports)
      return {
        errorCode: kafkaErrors.NONE.code,
        partitionIndex: partition.partition,
        leaderId,
        leaderEpoch: partition.leaderEpoch,
        replicaNodes: [...partition.replicas],
        isrNodes: [...partition.isr],
        eligibleLeaderReplicas: [...partition.elr],
        lastKnownElr: [...partition.lastKnownElr],
        offlineReplicas,
      }
    }),
    topicAuthorizedOperations: topicOperations,
  }
}
