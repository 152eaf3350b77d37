import type { Refusal } from '@naru/metadata'

/** What the API asks of the cluster. */
export interface ClusterAdmin {
  health(): Promise<ClusterHealth>
  quorum(): Promise<QuorumStatus | Refusal>
  /** Undefined: done. */
  transferLeader(nodeId: number): Promise<Refusal | undefined>
  addVoter(voter: VoterKey): Promise<Refusal | undefined>
  removeVoter(voter: VoterKey): Promise<Refusal | undefined>
}

/** How the cluster is, as one broker sees it. */
export interface ClusterHealth {
  /** Node id of the quorum's leader; undefined while none is known. */
  readonly leaderId: number | undefined
  readonly aliveBrokerIds: readonly number[]
  readonly fencedBrokerIds: readonly number[]
  readonly offlinePartitions: number
  readonly underReplicatedPartitions: number
}

/** Names one replica of the metadata log. */
export interface VoterKey {
  readonly nodeId: number
  readonly directoryId: string
}

export interface QuorumStatus {
  readonly leaderId: number
  readonly leaderEpoch: number
  readonly highWatermark: bigint
  readonly voters: readonly QuorumReplica[]
  readonly observers: readonly QuorumReplica[]
}

export interface QuorumReplica extends VoterKey {
  readonly logEndOffset: bigint
  /** Milliseconds since the epoch; undefined when it never happened. */
  readonly lastFetchMs: number | undefined
  /** Milliseconds since the epoch; undefined when it never happened. */
  readonly lastCaughtUpMs: number | undefined
}
