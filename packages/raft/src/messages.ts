/** What replicas say to each other. Every message may be lost, doubled, delayed and overtaken; none of them relies on another. */
import type { Entry, ReplicaKey, Snapshot } from './entry.ts'

interface Envelope {
  readonly from: ReplicaKey
  readonly to: ReplicaKey
  /** Of the sender; for `preVote` and a granted `preVoteReply` the term that the sender would campaign in. */
  readonly term: bigint
}

interface LastEntry {
  readonly lastIndex: bigint
  readonly lastTerm: bigint
}

/** Bodies by type, without the envelope. */
interface Bodies {
  /** Would you vote for me? Changes nothing at the receiver (Raft thesis §9.6). */
  preVote: LastEntry
  preVoteReply: { readonly granted: boolean }
  vote: LastEntry
  voteReply: { readonly granted: boolean }
  append: {
    readonly prevIndex: bigint
    readonly prevTerm: bigint
    readonly entries: readonly Entry[]
    readonly commitIndex: bigint
  }
  appendReply: {
    /** The receiver has on its disk what the leader has, up to here. */
    readonly matchIndex: bigint
    /** The entry before the appended ones is not the receiver's: where to look for one that is. */
    readonly rejected?: {
      readonly prevIndex: bigint
      readonly hintIndex: bigint
      readonly hintTerm: bigint
    }
    /** The receiver lost part of its log: it takes entries, and must not be counted. */
    readonly isRecovering: boolean
    /** How often it has lost some: what it said before the last time is void. */
    readonly recoveries: number
  }
  heartbeat: {
    /** Of what the receiver has acknowledged. */
    readonly commitIndex: bigint
    /** Numbers the confirmations of leadership that reads wait for. */
    readonly round: number
    /** To a recovering replica: what it lost in its recovery of that number lies at or below `index`. */
    readonly recoverTo?: { readonly recoveries: number; readonly index: bigint }
  }
  heartbeatReply: { readonly round: number }
  /** A piece of a snapshot, with its CRC-32C. */
  snapshot: {
    readonly snapshot: Snapshot
    readonly offset: number
    readonly data: Buffer
    readonly crc: number
    readonly isLast: boolean
  }
  /** Which byte of the snapshot the receiver wants next. */
  snapshotReply: { readonly index: bigint; readonly nextOffset: number }
  /** Campaign now: the leader hands over (Raft thesis §3.10). */
  timeoutNow: Record<never, never>
  /** From a replica that may not campaign: send me the log, whoever leads. */
  observe: Record<never, never>
  /** To one that asked the wrong one, or wants to depose a leader that lives. */
  redirect: { readonly leader: ReplicaKey }
}

export type MessageType = keyof Bodies
export type Message = {
  [T in MessageType]: Envelope & { readonly type: T } & Bodies[T]
}[MessageType]
export type MessageOf<T extends MessageType> = Extract<Message, { type: T }>
/** A message before it has a sender and a term. */
export type Draft = { [T in MessageType]: { readonly type: T } & Bodies[T] }[MessageType]

/** Only the leader of a term sends these. */
export function isFromLeader(
  message: Message,
): message is MessageOf<'append' | 'heartbeat' | 'snapshot'> {
  return ['append', 'heartbeat', 'snapshot'].includes(message.type)
}
