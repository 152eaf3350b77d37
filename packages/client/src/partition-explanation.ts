/** Why a partition is as it is, as a broker tells it over gRPC. */

export type ReplicaStateName =
  | 'leader'
  | 'in-sync'
  | 'eligible'
  | 'last-known-eligible'
  | 'out-of-sync'

export interface ReplicaExplanation {
  readonly nodeId: number
  readonly state: ReplicaStateName | 'unknown'
  readonly isAvailable: boolean
  readonly isAdded: boolean
  readonly isRemoved: boolean
  readonly reason: string
}

export interface PartitionExplanation {
  readonly topic: string
  readonly partition: number
  /** -1 while nobody leads. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly minIsr: number
  readonly replicas: readonly ReplicaExplanation[]
  /** Undefined when it is further back than the broker's log of the metadata. */
  readonly lastElection: LastElection | undefined
  readonly lastIsrChange: LastIsrChange | undefined
  readonly sentences: readonly string[]
}

interface Change {
  /** Milliseconds since 1970; undefined when not known. */
  readonly atMs: number | undefined
  readonly cause: string
}

export interface LastElection extends Change {
  /** -1 when nobody could lead. */
  readonly leader: number
  readonly previous: number
  readonly leaderEpoch: number
  readonly isUnclean: boolean
}

export interface LastIsrChange extends Change {
  readonly left: readonly number[]
  readonly joined: readonly number[]
}

interface Timestamp {
  readonly seconds: string
  readonly nanos: number
}

/** `naru.admin.v1.ExplainPartitionResponse` as it is decoded. */
export interface ExplainAnswer {
  readonly topic: string
  readonly partition: number
  readonly leaderId?: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly minInsyncReplicas: number
  readonly replicas: readonly (Omit<ReplicaExplanation, 'state'> & { readonly state: string })[]
  readonly lastElection: {
    readonly leaderId?: number
    readonly previousLeaderId?: number
    readonly leaderEpoch: number
    readonly time: Timestamp | null
    readonly cause: string
    readonly isUnclean: boolean
  } | null
  readonly lastIsrChange: {
    readonly leftIds: readonly number[]
    readonly joinedIds: readonly number[]
    readonly time: Timestamp | null
    readonly cause: string
  } | null
  readonly sentences: readonly string[]
}

const states: Readonly<Record<string, ReplicaStateName>> = {
  REPLICA_STATE_LEADER: 'leader',
  REPLICA_STATE_IN_SYNC: 'in-sync',
  REPLICA_STATE_ELIGIBLE: 'eligible',
  REPLICA_STATE_LAST_KNOWN_ELIGIBLE: 'last-known-eligible',
  REPLICA_STATE_OUT_OF_SYNC: 'out-of-sync',
}

export function explanationIn(answer: ExplainAnswer): PartitionExplanation {
  const { topic, partition, leaderEpoch, partitionEpoch, sentences } = answer
  const { lastElection: election, lastIsrChange: isrChange } = answer
  return {
    ...{ topic, partition, leaderEpoch, partitionEpoch, sentences },
    leader: answer.leaderId ?? -1,
    minIsr: answer.minInsyncReplicas,
    replicas: answer.replicas.map(({ state, ...replica }) => {
      return { ...replica, state: states[state] ?? 'unknown' }
    }),
    lastElection:
      election === null
        ? undefined
        : {
            leader: election.leaderId ?? -1,
            previous: election.previousLeaderId ?? -1,
            leaderEpoch: election.leaderEpoch,
            isUnclean: election.isUnclean,
            atMs: msOf(election.time),
            cause: election.cause,
          },
    lastIsrChange:
      isrChange === null
        ? undefined
        : {
            left: isrChange.leftIds,
            joined: isrChange.joinedIds,
            atMs: msOf(isrChange.time),
            cause: isrChange.cause,
          },
  }
}

function msOf(time: Timestamp | null): number | undefined {
  return time === null ? undefined : Number(time.seconds) * 1_000 + Math.floor(time.nanos / 1e6)
}
