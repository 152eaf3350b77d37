/**
 * What a replica wants done. The contract with whoever runs it:
 *
 * 1. `persist` is written in one durable batch, the reset first, then the entries over whatever is stored from their index on;
 *    then `persisted()` is called. At most one is handed out at a time, and a failure ends the process.
 * 2. `messages` may be sent at once and in any order, before `persist` is durable: those that depend on it are held back until
 *    `persisted()`.
 * 3. `committed` is applied in order. It is durable here and on a majority.
 * 4. `received` pieces of a snapshot are stored, then `chunkStored` or, after the last one, `snapshotInstalled` is called. The state
 *    machine is set to the snapshot before that, unless `log.commitIndex` has come past it: then it only is reported. `chunks` are
 *    read from the snapshot's file and given to `sendChunk`, or `chunkUnavailable` is called.
 *
 * Then `takeReady` is called again: each of these may have made more to do.
 */
import type { Entry, HardState, ReplicaKey, Snapshot } from './entry.ts'
import type { Message } from './messages.ts'

export interface Persist {
  readonly hardState: HardState | undefined
  /** Everything stored below and beside this snapshot goes. */
  readonly reset: Snapshot | undefined
  /** Replace what is stored from the index of the first one on. */
  readonly entries: readonly Entry[]
}

export interface ChunkRequest {
  readonly to: ReplicaKey
  readonly snapshot: Snapshot
  readonly offset: number
}

export interface ReceivedChunk {
  readonly snapshot: Snapshot
  readonly offset: number
  readonly data: Buffer
  readonly isLast: boolean
}

export type Role = 'follower' | 'candidate' | 'leader'

export type RaftEvent =
  | {
      readonly type: 'role'
      readonly role: Role
      readonly term: bigint
      readonly leader: ReplicaKey | undefined
    }
  /** Voters have come into force, or come back into it, or came with a snapshot. */
  | { readonly type: 'voters'; readonly index: bigint; readonly voters: readonly ReplicaKey[] }
  /** A log that had lost entries holds everything again that was ever committed. */
  | { readonly type: 'recovered' }

export interface Ready {
  readonly persist: Persist | undefined
  readonly messages: readonly Message[]
  readonly committed: readonly Entry[]
  readonly chunks: readonly ChunkRequest[]
  readonly received: readonly ReceivedChunk[]
  /** Reads that may be answered once `index` is applied. */
  readonly reads: readonly { readonly id: number; readonly index: bigint }[]
  /** Reads that this replica cannot answer: it leads no more. */
  readonly failedReads: readonly number[]
  readonly events: readonly RaftEvent[]
}
