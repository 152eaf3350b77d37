import { type KafkaError, kafkaErrors } from '@naru/model'
import { defineHandler, type RequestContext } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import {
  type FetchedPartition,
  type FetchPartition,
  type FollowerReads,
  PartitionHost,
  fetch as read,
  type SessionPartition,
  type SessionPlan,
} from '@naru/services'
import type { Ports } from '../ports.ts'

type Request = RequestOf<typeof apis.fetch>
type Response = ResponseOf<typeof apis.fetch>
type Topic = Response['responses'][number]

type FetchPorts = Pick<
  Ports,
  'partitions' | 'fetchSessions' | 'clock' | 'limits' | 'replicaSelector'
>

/** From here on clients tell their rack, and go to the replica that they are sent to (KIP-392). */
const followerReadsVersion = 11

export function fetch(ports: FetchPorts) {
  return defineHandler(apis.fetch, async (request, context) => {
    const { apiVersion, onClose } = context
    const plan = ports.fetchSessions.plan(sessionRequest(request, apiVersion))
    if (plan.error !== kafkaErrors.NONE) return answer(plan, [])
    const isReadCommitted = request.isolationLevel === 1
    const followers = followerReads(ports, request, context)
    const results = await read(ports.clock, {
      partitions: plan.partitions.map((partition) =>
        located(ports, partition, { apiVersion, followers }),
      ),
      maxWaitMs: Math.max(0, request.maxWaitMs),
      minBytes: request.minBytes,
      maxBytes: Math.min(request.maxBytes, ports.limits.fetchBytesMax),
      isReadCommitted,
      followers,
      onClose,
    })
    return answer(plan, topicsOf(plan, results, { isReadCommitted, apiVersion }))
  })
}

function sessionRequest(request: Request, apiVersion: number) {
  const partitions: SessionPartition[] = []
  for (const { topic, topicId, partitions: wanted } of request.topics) {
    for (const { partition, partitionMaxBytes: maxBytes, ...rest } of wanted) {
      const { fetchOffset, currentLeaderEpoch, lastFetchedEpoch } = rest
      const position = { fetchOffset, currentLeaderEpoch, lastFetchedEpoch }
      partitions.push({ topic, topicId, partition, maxBytes, ...position })
    }
  }
  const forgotten = request.forgottenTopicsData.flatMap(({ topic, topicId, partitions: numbers }) =>
    numbers.map((partition) => ({ topic, topicId, partition })),
  )
  const { sessionId, sessionEpoch } = request
  return { sessionId, sessionEpoch, usesTopicIds: apiVersion >= 13, partitions, forgotten }
}

/** Undefined for whoever may read from leaders only: an older client, or another broker's replica. */
function followerReads(
  { replicaSelector }: Pick<Ports, 'replicaSelector'>,
  { rackId: rack, replicaId, replicaState }: Request,
  { apiVersion, listener }: RequestContext,
): FollowerReads | undefined {
  const isConsumer = (replicaState?.replicaId ?? replicaId) < 0
  if (apiVersion < followerReadsVersion || !isConsumer) return undefined
  return {
    nearest: (leader, fetchOffset) => replicaSelector(leader, { rack, listener, fetchOffset }),
  }
}

function located(
  { partitions }: Pick<Ports, 'partitions'>,
  partition: SessionPartition,
  { apiVersion, followers }: { apiVersion: number; followers: FollowerReads | undefined },
): FetchPartition {
  const number = partition.partition
  const name = apiVersion >= 13 ? partitions.topicNamed(partition.topicId) : partition.topic
  const host =
    name === undefined
      ? kafkaErrors.UNKNOWN_TOPIC_ID
      : followers === undefined
        ? partitions.leading(name, number)
        : partitions.replica(name, number)
  if (host instanceof PartitionHost) return { ...partition, host }
  return { ...partition, host: undefined, missing: host }
}

/** Groups the answers by topic, in the order of the request, and leaves out what a session's client knows. */
function topicsOf(
  plan: SessionPlan,
  results: readonly FetchedPartition[],
  { isReadCommitted, apiVersion }: { isReadCommitted: boolean; apiVersion: number },
): Topic[] {
  const topics: Topic[] = []
  for (const [index, partition] of plan.partitions.entries()) {
    const result = results[index] as FetchedPartition
    const hasFailed = result.error !== kafkaErrors.NONE
    const { highWatermark, lastStableOffset, logStartOffset } = result
    const told = { highWatermark, lastStableOffset, logStartOffset }
    const isNews = plan.isNews?.(partition, {
      told,
      hasRecords: result.records.length > 0,
      isNotable:
        hasFailed || result.divergingEpoch !== null || result.preferredReplica !== undefined,
    })
    if (isNews === false) continue
    let topic = topics.at(-1)
    if (topic?.topic !== partition.topic || topic.topicId !== partition.topicId) {
      topic = { topic: partition.topic, topicId: partition.topicId, partitions: [] }
      topics.push(topic)
    }
    topic.partitions.push({
      partitionIndex: partition.partition,
      errorCode: errorFor(result.error, apiVersion).code,
      ...told,
      divergingEpoch: result.divergingEpoch,
      currentLeader: null,
      snapshotId: null,
      abortedTransactions: hasNone(result, isReadCommitted) ? [] : null,
      preferredReadReplica: result.preferredReplica ?? -1,
      records: result.records,
    })
  }
  return topics
}

/** Null where nobody looked for aborted transactions. */
function hasNone({ error, preferredReplica }: FetchedPartition, isReadCommitted: boolean): boolean {
  if (preferredReplica !== undefined) return false
  if (error === kafkaErrors.NONE) return isReadCommitted
  return error === kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION || error === kafkaErrors.UNKNOWN_TOPIC_ID
}

/** Clients of these versions take a failed disk for fatal; this one makes them look for another leader. */
function errorFor(error: KafkaError, apiVersion: number): KafkaError {
  const isStorage = error === kafkaErrors.KAFKA_STORAGE_ERROR
  return isStorage && apiVersion <= 5 ? kafkaErrors.NOT_LEADER_OR_FOLLOWER : error
}

function answer(plan: SessionPlan, responses: Topic[]): Response {
  return {
    throttleTimeMs: 0,
    errorCode: plan.error.code,
    sessionId: plan.sessionId,
    responses,
    nodeEndpoints: [],
  }
}
