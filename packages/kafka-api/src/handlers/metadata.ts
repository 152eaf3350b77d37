import type { PartitionImage, TopicImage } from '@naru/metadata'
import { isRefusal } from '@naru/metadata'
import {
  invalidTopicName,
  isInternalTopic,
  isReservedTopic,
  type KafkaError,
  kafkaErrors,
  type TopicId,
  zeroTopicId,
} from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import { addressesOf } from '../brokers.ts'
import { clusterOperations, operationsNotAsked, topicOperations } from '../errors.ts'
import type { Ports } from '../ports.ts'
import { replicaView } from '../replica-view.ts'

/** Answers of one connection leave in order: the rest does not wait long for a topic that nobody can create. */
const creationMsMax = 5_000

type Request = RequestOf<typeof apis.metadata>
type Response = ResponseOf<typeof apis.metadata>
type Topic = Response['topics'][number]

type Wanted = { readonly name: string | null; readonly topicId: TopicId }

export function metadata(ports: Pick<Ports, 'cluster' | 'topics' | 'autoCreates'> & ReplicaPorts) {
  const { image } = ports.metadata
  return defineHandler(apis.metadata, async (request, { apiVersion, listener }) => {
    if (namesByIdTooEarly(request, apiVersion)) return refused(request)
    const operations = request.includeTopicAuthorizedOperations
      ? topicOperations
      : operationsNotAsked
    const topics: Topic[] = []
    for (const wanted of wantedTopics(request, apiVersion, ports)) {
      topics.push(await describe(ports, request, wanted))
    }
    return {
      throttleTimeMs: 0,
      brokers: addressesOf(image, listener),
      clusterId: image.clusterId,
      controllerId: ports.cluster.controllerId,
      topics: topics.map((topic) => ({ ...topic, topicAuthorizedOperations: operations })),
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations
        ? clusterOperations
        : operationsNotAsked,
      errorCode: kafkaErrors.NONE.code,
    }
  })
}

/** Versions 10 and 11 carry ids, but a look-up by them came with version 12. */
function namesByIdTooEarly({ topics }: Request, apiVersion: number): boolean {
  if (apiVersion >= 12 || topics === null) return false
  return topics.some(({ name, topicId }) => name === null || topicId !== zeroTopicId)
}

function refused(request: Request): Response {
  const error = kafkaErrors.INVALID_REQUEST
  return {
    throttleTimeMs: 0,
    brokers: [],
    clusterId: null,
    controllerId: -1,
    topics: (request.topics ?? []).map(({ name, topicId }) => absent(name ?? '', topicId, error)),
    clusterAuthorizedOperations: operationsNotAsked,
    errorCode: error.code,
  }
}

/** Null asks for all topics, and in version 0 an empty list does. An id comes before a name; a topic is described once. */
function wantedTopics(
  request: Request,
  apiVersion: number,
  ports: Pick<Ports, 'metadata'>,
): Iterable<Wanted> {
  const isAll = request.topics === null || (apiVersion === 0 && request.topics.length === 0)
  if (isAll) return [...ports.metadata.image.topics.values()]
  const wanted = new Map<string, Wanted>()
  for (const { name, topicId } of request.topics ?? []) {
    if (topicId === zeroTopicId && name !== null) wanted.set(`name ${name}`, { name, topicId })
    else wanted.set(`id ${topicId}`, { name: null, topicId })
  }
  return wanted.values()
}

async function describe(
  ports: Pick<Ports, 'topics' | 'autoCreates'> & ReplicaPorts,
  request: Request,
  wanted: Wanted,
): Promise<Topic> {
  const { image } = ports.metadata
  const { name, topicId } = wanted
  if (name === null) {
    const topic = image.topicsById.get(topicId)
    return topic === undefined
      ? absent(null, topicId, kafkaErrors.UNKNOWN_TOPIC_ID)
      : present(topic, ports)
  }
  const topic = image.topics.get(name)
  if (topic !== undefined) return present(topic, ports)
  if (invalidTopicName(name) !== undefined) {
    return absent(name, zeroTopicId, kafkaErrors.INVALID_TOPIC_EXCEPTION)
  }
  // Internal topics come with what they are for, in the shape that it needs.
  const isCreated = ports.autoCreates && request.allowAutoTopicCreation && !isInternalTopic(name)
  if (!isCreated || isReservedTopic(name)) {
    return absent(name, zeroTopicId, kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  }
  const created = await ports.topics.create(
    { name, partitions: -1, replicationFactor: -1, assignments: [], configs: [] },
    false,
    creationMsMax,
  )
  const isKnown = !isRefusal(created) || created.error === kafkaErrors.TOPIC_ALREADY_EXISTS
  const made = image.topics.get(name)
  if (isKnown && made !== undefined) return present(made, ports)
  return absent(name, zeroTopicId, isRefusal(created) ? created.error : kafkaErrors.NONE)
}

function absent(name: string | null, topicId: string, error: KafkaError): Topic {
  return {
    errorCode: error.code,
    name,
    topicId,
    isInternal: name !== null && isInternalTopic(name),
    partitions: [],
    topicAuthorizedOperations: operationsNotAsked,
  }
}

type ReplicaPorts = Pick<Ports, 'nodeId' | 'metadata' | 'partitions'>

function present(topic: TopicImage, ports: ReplicaPorts): Topic {
  return {
    errorCode: kafkaErrors.NONE.code,
    name: topic.name,
    topicId: topic.topicId,
    isInternal: isInternalTopic(topic.name),
    partitions: topic.partitions.map((partition) => partitionOf(topic, partition, ports)),
    topicAuthorizedOperations: operationsNotAsked,
  }
}

function partitionOf(
  topic: TopicImage,
  partition: PartitionImage,
  ports: ReplicaPorts,
): Topic['partitions'][number] {
  const { errorCode, leaderId, offlineReplicas } = replicaView(topic.name, partition, ports)
  return {
    errorCode,
    partitionIndex: partition.partition,
    leaderId,
    leaderEpoch: partition.leaderEpoch,
    replicaNodes: [...partition.replicas],
    isrNodes: [...partition.isr],
    offlineReplicas,
  }
}
