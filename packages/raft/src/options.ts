import type { Random } from '@naru/base'
import type { ReplicaKey } from './entry.ts'

export interface RaftOptions {
  readonly self: ReplicaKey
  readonly random: Random
  /** Silence of a leader after which a follower may campaign, and of a majority after which a leader gives up. */
  readonly electionBaseMs: number
  readonly heartbeatMs: number
  /** Whom to ask for the leader beside the known voters: who answers at the addresses of old. The owner may change the list. */
  readonly contacts: readonly ReplicaKey[]
  /** Entries kept below a snapshot, so that a replica a little behind needs no snapshot. */
  readonly trailingEntries: number
  readonly limits: RaftLimits
}

export interface RaftLimits {
  /** Of the entries of one message. */
  readonly appendBytes: number
  /** On their way to one replica. */
  readonly inflightMessages: number
  readonly inflightBytes: number
  /** Proposed and not yet committed: beyond it proposals are refused. */
  readonly uncommittedBytes: number
  /** Handed out to be applied at once, in a turn of whoever runs the replica: some milliseconds, so that it stays heard. */
  readonly applyBytes: number
  readonly reads: number
  readonly observers: number
}

export const defaultLimits: RaftLimits = {
  appendBytes: 1 << 20,
  inflightMessages: 64,
  inflightBytes: 8 << 20,
  uncommittedBytes: 16 << 20,
  applyBytes: 64 << 10,
  reads: 10_000,
  observers: 1_000,
}
