/** The cluster itself as an administrator sees and changes it: the quorum of its metadata, its brokers, its features. */
import type { Refusal } from '@naru/metadata'
import type { NodeId } from '@naru/model'

export interface ReplicaStatus {
  readonly nodeId: NodeId
  /** Of the directory with the metadata: a node that comes back with another disk is another replica. */
  readonly directoryId: string
  /** The offset behind its last entry; -1 when not known. */
  readonly logEndOffset: bigint
  /** By the leader's clock, in milliseconds since 1970; -1 when not known. */
  readonly lastFetchMs: number
  readonly lastCaughtUpMs: number
}

export interface QuorumStatus {
  readonly leaderId: NodeId
  readonly leaderEpoch: number
  readonly highWatermark: bigint
  readonly voters: readonly ReplicaStatus[]
  readonly observers: readonly ReplicaStatus[]
  /** Where the voters are reached. */
  readonly nodes: readonly {
    readonly nodeId: NodeId
    readonly endpoints: readonly { listener: string; host: string; port: number }[]
  }[]
}

/** How the cluster is, as this broker's copy of the metadata has it. */
export interface ClusterHealth {
  /** Node id of the quorum's leader; -1 while none is known. */
  readonly leaderId: NodeId
  readonly aliveBrokerIds: readonly NodeId[]
  readonly fencedBrokerIds: readonly NodeId[]
  /** Without a leader. */
  readonly offlinePartitions: number
  /** With replicas that are not in sync. */
  readonly underReplicatedPartitions: number
}

export interface VoterKey {
  readonly nodeId: NodeId
  readonly directoryId: string
}

export interface FeatureUpdate {
  readonly feature: string
  /** 0 takes the feature away. */
  readonly level: number
  /** What may happen to a level that is higher: nothing, or a downgrade that loses nothing, or one that may. */
  readonly kind: 'upgrade' | 'safe-downgrade' | 'unsafe-downgrade'
}

/** Any broker takes these and has the controller answer them. */
export interface ClusterAdmin {
  /** As far as this broker knows; -1 when it knows of none. */
  readonly controllerId: NodeId
  health(): Promise<ClusterHealth>
  quorum(): Promise<QuorumStatus | Refusal>
  /** Done when it is committed. Waits for a replica that has to catch up, some seconds where no time is given. */
  addVoter(voter: VoterKey, timeoutMs?: number): Promise<Refusal | undefined>
  removeVoter(voter: VoterKey): Promise<Refusal | undefined>
  transferLeader(nodeId: NodeId): Promise<Refusal | undefined>
  unregisterBroker(nodeId: NodeId): Promise<Refusal | undefined>
  /** All of them or none. */
  updateFeatures(
    updates: readonly FeatureUpdate[],
    how: { readonly validateOnly: boolean; readonly timeoutMs: number },
  ): Promise<Refusal | undefined>
}
