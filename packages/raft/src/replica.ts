/**
 * What a replica is in every role: its term and vote, its log, who votes, and what it is about to say. A message that promises
 * something (a vote, an acknowledgement, that a leader is still one) leaves only when the term and vote it rests on are on the disk.
 */
import { assert } from '@naru/base'
import type { Entry, HardState, ReplicaKey, Snapshot } from './entry.ts'
import { Membership } from './membership.ts'
import type { Draft, Message } from './messages.ts'
import type { RaftOptions } from './options.ts'
import { RaftLog } from './raft-log.ts'
import type { ChunkRequest, Persist, RaftEvent, ReceivedChunk } from './ready.ts'

/** What the disk held when the replica started. */
export interface StoredState {
  readonly hardState: HardState
  readonly snapshot: Snapshot | undefined
  /** Everything that follows the snapshot, or the beginning. */
  readonly entries: readonly Entry[]
  /** Entries that had been acknowledged are missing or damaged: no votes, no acknowledgements until they are back. */
  readonly isRecovering: boolean
  /** How often that has happened, this time included: durable before the replica starts. */
  readonly recoveries: number
}

export class Replica {
  readonly options: RaftOptions
  readonly log: RaftLog
  readonly membership: Membership
  /** The newest snapshot on the disk. */
  snapshot: Snapshot | undefined
  nowMs: number
  isRecovering: boolean
  readonly recoveries: number
  chunks: ChunkRequest[] = []
  received: ReceivedChunk[] = []
  reads: { id: number; index: bigint }[] = []
  failedReads: number[] = []
  events: RaftEvent[] = []
  #term: bigint
  #vote: ReplicaKey | undefined
  #outbox: Message[] = []
  /** Messages of this term that wait until term and vote are on the disk. */
  #held: Message[] = []
  #isHardStateUnsaved = false
  #unsavedReset: Snapshot | undefined
  #saving: { readonly hasHardState: boolean } | undefined

  constructor(options: RaftOptions, stored: StoredState, nowMs: number) {
    this.options = options
    this.nowMs = nowMs
    this.#term = stored.hardState.term
    this.#vote = stored.hardState.vote
    this.snapshot = stored.snapshot
    this.isRecovering = stored.isRecovering
    this.recoveries = stored.recoveries
    this.log = new RaftLog(stored.snapshot ?? { index: 0n, term: 0n }, stored.entries)
    const { index, voters } = stored.snapshot ?? { index: 0n, voters: [] }
    this.membership = new Membership({ index, voters })
    this.#noteVoters(stored.entries)
  }

  get self(): ReplicaKey {
    return this.options.self
  }

  get term(): bigint {
    return this.#term
  }

  get vote(): ReplicaKey | undefined {
    return this.#vote
  }

  /**
   * Whether it may campaign: it votes, or its removal is not known to be committed, so that perhaps only it can complete it
   * (Raft thesis §4.2.2); and it has lost nothing.
   */
  get isElectable(): boolean {
    return !this.isRecovering && this.membership.mayVote(this.self, this.log.commitIndex)
  }

  /** Term and vote are on the disk as they are here. */
  get isHardStateDurable(): boolean {
    return !this.#isHardStateUnsaved && this.#saving?.hasHardState !== true
  }

  /** Adopts a newer term, in which it has not voted. What it was about to say in the old one is void. */
  enterTerm(term: bigint, vote?: ReplicaKey): void {
    assert(term > this.#term, `Term ${term} does not follow ${this.#term}`)
    this.#term = term
    this.#vote = vote
    this.#held = []
    this.#isHardStateUnsaved = true
  }

  /** Votes once in a term. */
  castVote(candidate: ReplicaKey): void {
    if (this.#vote === candidate) return
    assert(this.#vote === undefined, `Already voted for ${this.#vote} in term ${this.#term}`)
    this.#vote = candidate
    this.#isHardStateUnsaved = true
  }

  /** Says something in this term, once the term is on the disk. */
  send(to: ReplicaKey, draft: Draft): void {
    const message = { ...draft, from: this.self, to, term: this.#term } as Message
    if (this.isHardStateDurable) this.#outbox.push(message)
    else this.#held.push(message)
  }

  /** Says something that binds nobody, in the name of any term. */
  sendUnbound(to: ReplicaKey, draft: Draft, term: bigint): void {
    this.#outbox.push({ ...draft, from: this.self, to, term } as Message)
  }

  takeOutbox(): Message[] {
    return this.#outbox.splice(0)
  }

  /** Appends to its own log, and lets new voters come into force. */
  append(entries: readonly Entry[]): void {
    this.log.append(entries)
    this.#noteVoters(entries)
  }

  /** Takes a leader's entries; see {@link RaftLog.merge}. */
  merge(entries: readonly Entry[]): void {
    const known = this.log.lastIndex
    const cutFrom = this.log.merge(entries)
    if (cutFrom !== undefined) this.#takeBackVoters(cutFrom)
    const freshFrom = cutFrom ?? known + 1n
    this.#noteVoters(entries.filter(({ index }) => index >= freshFrom))
  }

  /**
   * A snapshot from the leader is on the disk, and replaces the log. One that agrees with the snapshot stays: what lies above it
   * may have been acknowledged while the snapshot came.
   */
  restore(snapshot: Snapshot): void {
    this.snapshot = snapshot
    if (this.log.matches(snapshot.index, snapshot.term)) {
      this.log.cover(snapshot.index)
      return
    }
    this.log.restore(snapshot)
    this.membership.reset(snapshot)
    this.#tellVoters()
    this.#unsavedReset = snapshot
  }

  /** Its own snapshot is on the disk: the log below it may go, but for a tail. */
  compact(snapshot: Snapshot): void {
    this.snapshot = snapshot
    const keepAfter = snapshot.index - BigInt(this.options.trailingEntries)
    this.log.compact(keepAfter)
    this.membership.forgetBefore(this.log.baseIndex)
  }

  /** What has to be written now; undefined while a write is under way or when there is nothing. */
  takePersist(): Persist | undefined {
    const hasHardState = this.#isHardStateUnsaved
    const reset = this.#unsavedReset
    if (this.#saving !== undefined) return undefined
    if (!hasHardState && reset === undefined && !this.log.hasUnsaved) return undefined
    this.#saving = { hasHardState }
    this.#isHardStateUnsaved = false
    this.#unsavedReset = undefined
    const hardState = hasHardState ? { term: this.#term, vote: this.#vote } : undefined
    return { hardState, reset, entries: this.log.takeUnsaved() }
  }

  /** What `takePersist` gave is on the disk. */
  persisted(): void {
    assert(this.#saving !== undefined, 'Nothing was being written')
    this.#saving = undefined
    this.log.saved()
    if (this.isHardStateDurable) this.#outbox.push(...this.#held.splice(0))
  }

  #noteVoters(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.kind !== 'voters') continue
      this.membership.append(entry.index, entry.voters)
      this.#tellVoters()
    }
  }

  /** The entries from `from` on are gone: the voters before them are in force again. */
  #takeBackVoters(from: bigint): void {
    const { index } = this.membership
    this.membership.truncate(from)
    if (this.membership.index !== index) this.#tellVoters()
  }

  #tellVoters(): void {
    const { index, voters } = this.membership
    this.events.push({ type: 'voters', index, voters })
  }
}
