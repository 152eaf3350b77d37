/** The cluster as an administrator sees it: the quorum of its metadata, its brokers, its features. */
import { zeroTopicId } from '@naru/model'
import type { apis, ResponseOf } from '@naru/protocol'

export interface BrokerView {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
  /** Registered, and not fit to serve clients. Known from Kafka 4.0 on; older brokers do not list those. */
  readonly isFenced: boolean
}

export interface ClusterView {
  readonly clusterId: string
  /** -1 when there is none at the moment. Apache Kafka names any broker that passes requests on. */
  readonly controller: number
  readonly brokers: readonly BrokerView[]
}

export interface QuorumReplica {
  readonly nodeId: number
  /** Undefined from brokers that do not tell it, which those before Kafka 3.9 do. */
  readonly directoryId: string | undefined
  /** The offset behind its last entry. This and the times are undefined when the leader does not know. */
  readonly logEnd: bigint | undefined
  /** By the leader's clock, in milliseconds since 1970. */
  readonly lastContactMs: number | undefined
  readonly caughtUpMs: number | undefined
}

export interface QuorumView {
  readonly leader: number
  readonly leaderEpoch: number
  readonly highWatermark: bigint
  readonly voters: readonly QuorumReplica[]
  readonly observers: readonly QuorumReplica[]
  readonly nodes: readonly { readonly nodeId: number; readonly endpoints: readonly Endpoint[] }[]
}

export interface Endpoint {
  readonly listener: string
  readonly host: string
  readonly port: number
}

export interface FeatureView {
  readonly feature: string
  /** Undefined when it is not in use. */
  readonly level: number | undefined
  /** What the broker that was asked can do. */
  readonly supported: { readonly min: number; readonly max: number } | undefined
}

type QuorumAnswer = ResponseOf<typeof apis.describeQuorum>
type QuorumPartition = QuorumAnswer['topics'][number]['partitions'][number]

export function quorumViewOf(partition: QuorumPartition, nodes: QuorumAnswer['nodes']): QuorumView {
  return {
    leader: partition.leaderId,
    leaderEpoch: partition.leaderEpoch,
    highWatermark: partition.highWatermark,
    voters: partition.currentVoters.map(replicaOf),
    observers: partition.observers.map(replicaOf),
    nodes: nodes.map(({ nodeId, listeners }) => ({
      nodeId,
      endpoints: listeners.map(({ name, host, port }) => ({ listener: name, host, port })),
    })),
  }
}

function replicaOf(replica: QuorumPartition['currentVoters'][number]): QuorumReplica {
  const { replicaId, replicaDirectoryId, logEndOffset } = replica
  const time = (ms: bigint) => (ms < 0n ? undefined : Number(ms))
  return {
    nodeId: replicaId,
    directoryId: replicaDirectoryId === zeroTopicId ? undefined : replicaDirectoryId,
    logEnd: logEndOffset < 0n ? undefined : logEndOffset,
    lastContactMs: time(replica.lastFetchTimestamp),
    caughtUpMs: time(replica.lastCaughtUpTimestamp),
  }
}

/** By name. */
export function featureViewsOf(answer: ResponseOf<typeof apis.apiVersions>): FeatureView[] {
  const views = new Map<string, FeatureView>()
  for (const { name, minVersion: min, maxVersion: max } of answer.supportedFeatures) {
    views.set(name, { feature: name, level: undefined, supported: { min, max } })
  }
  for (const { name, maxVersionLevel: level } of answer.finalizedFeatures) {
    views.set(name, { feature: name, supported: views.get(name)?.supported, level })
  }
  return [...views.values()].sort((a, b) => (a.feature < b.feature ? -1 : 1))
}
