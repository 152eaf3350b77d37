/**
 * One copy of the log: a node and the directory that holds it, as `NODE/DIRECTORY`. A node whose disk was replaced is another
 * replica: whatever its predecessor voted or acknowledged binds it no more, and counts for it no more (KIP-853).
 */
export type ReplicaKey = string

interface Position {
  readonly index: bigint
  readonly term: bigint
}

export type Entry = Position &
  (
    | { readonly kind: 'data'; readonly payload: Buffer }
    /** Appended by each new leader: what came before commits with it (Raft §8). */
    | { readonly kind: 'noop' }
    /** The voters from here on: in force as soon as it is in the log, committed or not (Raft thesis §4.1). */
    | { readonly kind: 'voters'; readonly voters: readonly ReplicaKey[] }
  )

/** The state after the entry at `index`, and who votes from there on. */
export interface Snapshot extends Position {
  readonly voters: readonly ReplicaKey[]
}

/** What must survive a crash beside the log, before anything that depends on it is said (Raft figure 2). */
export interface HardState {
  readonly term: bigint
  readonly vote: ReplicaKey | undefined
}

/** What an entry costs a message, a queue or a batch, in bytes. */
export function entryBytes(entry: Entry): number {
  const overhead = 32
  if (entry.kind === 'data') return overhead + entry.payload.length
  return overhead + (entry.kind === 'voters' ? entry.voters.length * overhead : 0)
}
