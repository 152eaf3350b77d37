import { isRefusal } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import type { QuorumStatus, ReplicaStatus } from '@naru/services'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'

type Request = RequestOf<typeof apis.describeQuorum>
type Response = ResponseOf<typeof apis.describeQuorum>
type Partition = Response['topics'][number]['partitions'][number]
type Replica = Partition['currentVoters'][number]

/** As Kafka names the log of the metadata. */
const topicName = '__cluster_metadata'
/** Kafka says nothing with an empty text here, not with null. */
const success = { errorCode: kafkaErrors.NONE.code, errorMessage: '' }

export function describeQuorum({ cluster }: Pick<Ports, 'cluster'>) {
  return defineHandler(apis.describeQuorum, async (request): Promise<Response> => {
    if (!isAboutQuorum(request)) return { ...success, topics: unknownTopics(request), nodes: [] }
    const status = await cluster.quorum()
    if (isRefusal(status)) return { ...outcomeOf(status), topics: [], nodes: [] }
    const nodes = status.nodes.map(({ nodeId, endpoints }) => ({
      nodeId,
      listeners: endpoints.map(listenerOf),
    }))
    return { ...success, topics: [{ topicName, partitions: [partitionOf(status)] }], nodes }
  })
}

/** Kafka's tools end with an error at the name of a listener that is not in capitals. */
function listenerOf({ listener, host, port }: QuorumStatus['nodes'][number]['endpoints'][number]) {
  return { name: listener.toUpperCase(), host, port }
}

/** One log is a quorum's. Kafka knows none of the partitions when anything else is asked for beside it. */
function isAboutQuorum({ topics }: Request): boolean {
  const [topic] = topics
  if (topics.length !== 1 || topic?.topicName !== topicName) return false
  return topic.partitions.length === 1 && topic.partitions[0]?.partitionIndex === 0
}

function unknownTopics({ topics }: Request): Response['topics'] {
  const { code, description } = kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
  return topics.map(({ topicName, partitions }) => ({
    topicName,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode: code,
      errorMessage: description,
      leaderId: 0,
      leaderEpoch: 0,
      highWatermark: 0n,
      currentVoters: [],
      observers: [],
    })),
  }))
}

function partitionOf(status: QuorumStatus): Partition {
  const { leaderId, leaderEpoch, highWatermark, voters, observers } = status
  return {
    partitionIndex: 0,
    ...success,
    leaderId,
    leaderEpoch,
    highWatermark,
    currentVoters: voters.map(replicaOf),
    observers: observers.map(replicaOf),
  }
}

function replicaOf(replica: ReplicaStatus): Replica {
  return {
    replicaId: replica.nodeId,
    replicaDirectoryId: replica.directoryId,
    logEndOffset: replica.logEndOffset,
    lastFetchTimestamp: BigInt(replica.lastFetchMs),
    lastCaughtUpTimestamp: BigInt(replica.lastCaughtUpMs),
  }
}
