/**
 * One replica of a replicated log (Raft, with pre-vote, check-quorum, reads without leases, and voters changed one at a time).
 * It decides and nothing else: messages and the time go in, {@link Ready} comes out. It has no clock, no disk and no network;
 * what it is told of them it believes.
 */
import { assert } from '@naru/base'
import type { ReplicaKey, Snapshot } from './entry.ts'
import { isFromLeader, type Message } from './messages.ts'
import type { RaftOptions } from './options.ts'
import type { Progress } from './progress.ts'
import type { Ready, ReceivedChunk } from './ready.ts'
import { Replica, type StoredState } from './replica.ts'
import { Candidate } from './roles/candidate.ts'
import { Follower } from './roles/follower.ts'
import { Leader, type LeaderRefusal, type Proposal } from './roles/leader.ts'
import type { Transition } from './roles/role.ts'
import { answerPreVote, answerVote } from './voting.ts'

export type Refusal = 'notLeader' | LeaderRefusal

/** The log, to look at. */
export type LogView = Pick<
  Replica['log'],
  'baseIndex' | 'lastIndex' | 'durableIndex' | 'commitIndex' | 'termAt'
>

export class Raft {
  readonly #replica: Replica
  #role: Follower | Candidate | Leader

  constructor(options: RaftOptions, stored: StoredState, nowMs: number) {
    this.#replica = new Replica(options, stored, nowMs)
    this.#role = new Follower(this.#replica, { leader: undefined, isFirst: true })
  }

  get term(): bigint {
    return this.#replica.term
  }

  get vote(): ReplicaKey | undefined {
    return this.#replica.vote
  }

  get role(): 'follower' | 'candidate' | 'leader' {
    return this.#role.role
  }

  get leader(): ReplicaKey | undefined {
    return this.#role.leader
  }

  get voters(): readonly ReplicaKey[] {
    return this.#replica.membership.voters
  }

  get isRecovering(): boolean {
    return this.#replica.isRecovering
  }

  get snapshot(): Snapshot | undefined {
    return this.#replica.snapshot
  }

  get log(): LogView {
    return this.#replica.log
  }

  /** What a leader knows of the others; empty elsewhere. */
  get progress(): ReadonlyMap<ReplicaKey, Progress> {
    return this.#role instanceof Leader ? this.#role.progress : new Map()
  }

  /** When `elapsed` has to be called next; infinite when nothing is due. */
  get deadlineMs(): number {
    return this.#role.deadlineMs
  }

  /** Time has passed. */
  elapsed(nowMs: number): void {
    this.#replica.nowMs = nowMs
    this.#become(this.#role.elapsed())
  }

  /** A message has arrived. */
  step(message: Message, nowMs: number): void {
    this.#replica.nowMs = nowMs
    // Meant for another disk of this node: what that one promised is not ours to keep (R11).
    if (message.to !== this.#replica.self) return
    if (message.type === 'observe') this.#answerObserver(message)
    else if (message.type === 'redirect') this.#observe(message.leader)
    else if (message.type === 'preVote') this.#answerPreVote(message)
    else this.#stepInTerm(message)
  }

  /** What `takeReady` gave to persist is on the disk. */
  persisted(nowMs: number): void {
    this.#replica.nowMs = nowMs
    this.#replica.persisted()
    this.#become(this.#role.persisted())
  }

  /** Proposes entries, all or none; they get consecutive places up to `index`. */
  propose(proposals: readonly Proposal[]): { index: bigint; term: bigint } | Refusal {
    if (!(this.#role instanceof Leader)) return 'notLeader'
    const result = this.#role.propose(proposals)
    return typeof result === 'string' ? result : { ...result, term: this.term }
  }

  /** Asks for a read that sees all that is acknowledged by now; the answer comes as `reads` or `failedReads`. */
  read(id: number): Refusal | undefined {
    return this.#role instanceof Leader ? this.#role.read(id) : 'notLeader'
  }

  changeVoters(
    change: { add: ReplicaKey } | { remove: ReplicaKey },
  ): { index: bigint; term: bigint } | Refusal {
    if (!(this.#role instanceof Leader)) return 'notLeader'
    const result = this.#role.changeVoters(change)
    return typeof result === 'string' ? result : { ...result, term: this.term }
  }

  transferLeadership(target: ReplicaKey): Refusal | undefined {
    return this.#role instanceof Leader ? this.#role.transferTo(target) : 'notLeader'
  }

  /** The transport is sure that the process of `leader` is gone: no need to wait for its silence (R6). */
  forgetLeader(leader: ReplicaKey, nowMs: number): void {
    this.#replica.nowMs = nowMs
    if (this.leader === leader) this.#follower?.forgetLeader()
  }

  /** The voters after the entry at `index`, which belong into a snapshot of the state there. */
  votersAt(index: bigint): readonly ReplicaKey[] {
    return this.#replica.membership.at(index)
  }

  /** A snapshot of the applied state is on the disk: the log below it may go, but for a tail. */
  snapshotTaken(snapshot: Snapshot): void {
    assert(snapshot.index <= this.#replica.log.takenIndex, 'A snapshot of what was not applied')
    if (snapshot.index > (this.snapshot?.index ?? 0n)) this.#replica.compact(snapshot)
  }

  /** A piece from `received` is on the disk. `isUsable` false: the whole does not add up, and has to come anew. */
  chunkStored(chunk: ReceivedChunk, isUsable: boolean): void {
    this.#follower?.chunkStored(chunk, isUsable)
  }

  /** All pieces are on the disk and verified, and the state machine has been set to it, whatever this replica is by now. */
  snapshotInstalled(snapshot: Snapshot): void {
    const { index, term } = snapshot
    if (index > this.log.commitIndex) {
      const isHeld = this.#replica.log.matches(index, term)
      assert(isHeld || this.role !== 'leader', 'A leader has everything that is in a snapshot')
      this.#replica.restore(snapshot)
    }
    this.#follower?.snapshotInstalled(snapshot)
  }

  /** A piece that `chunks` asked for. */
  sendChunk(
    to: ReplicaKey,
    chunk: { snapshot: Snapshot; offset: number; data: Buffer; isLast: boolean },
  ): void {
    if (this.#role instanceof Leader) this.#role.sendChunk(to, chunk)
  }

  chunkUnavailable(to: ReplicaKey): void {
    if (this.#role instanceof Leader) this.#role.chunkUnavailable(to)
  }

  takeReady(): Ready {
    this.#role.emit()
    const { log, options } = this.#replica
    const persist = this.#replica.takePersist()
    return {
      persist,
      messages: this.#replica.takeOutbox(),
      committed: log.takeCommitted(options.limits.applyBytes),
      chunks: this.#replica.chunks.splice(0),
      received: this.#replica.received.splice(0),
      reads: this.#replica.reads.splice(0),
      failedReads: this.#replica.failedReads.splice(0),
      events: this.#replica.events.splice(0),
    }
  }

  get #follower(): Follower | undefined {
    return this.#role instanceof Follower ? this.#role : undefined
  }

  #stepInTerm(message: Message): void {
    const isPromise = message.type === 'preVoteReply' && message.granted
    if (message.term > this.term && !isPromise) {
      this.#replica.enterTerm(message.term)
      this.#become({ to: 'follower', leader: undefined })
    }
    if (message.term < this.term) this.#answerStale(message)
    else if (message.type === 'vote') this.#answerVote(message)
    else {
      // Whoever campaigns has lost to the leader of the term.
      if (isFromLeader(message) && this.#role.role !== 'follower') this.#yieldTo(message.from)
      this.#become(this.#role.step(message))
    }
  }

  #yieldTo(leader: ReplicaKey): void {
    assert(this.#role.role !== 'leader', `Two leaders in term ${this.term}: ${leader} is another`)
    this.#become({ to: 'follower', leader })
  }

  /** Tells a leader or candidate of an older term that its time is over. */
  #answerStale(message: Message): void {
    if (isFromLeader(message))
      this.#replica.send(message.from, { type: 'heartbeatReply', round: 0 })
    if (message.type === 'vote') {
      this.#replica.send(message.from, { type: 'voteReply', granted: false })
    }
  }

  /** Who campaigns against a leader that lives may have been away when it was removed: it gets the log, which tells it (KIP-853). */
  #answerPreVote(message: Message & { type: 'preVote' }): void {
    const granted = answerPreVote(this.#replica, message, this.#role.hasLiveLeader)
    if (this.#role.hasLiveLeader) this.#answerObserver(message)
    if (granted) this.#makeWay(message)
  }

  /**
   * Two that campaign at once split the votes. The log of the other one is no worse, so whoever would vote for this replica votes for
   * that one: it goes first. Of two that ask at the same time with equal logs it is the one that comes first among the voters.
   */
  #makeWay({ from, lastIndex, lastTerm }: Message & { type: 'preVote' }): void {
    const { membership, log, self } = this.#replica
    const { voters } = membership
    if (!voters.includes(from)) return
    if (this.#role instanceof Candidate && this.#role.isAsking) {
      const isEqual = lastIndex === log.lastIndex && lastTerm === log.lastTerm
      if (isEqual && voters.indexOf(self) < voters.indexOf(from)) return
      this.#become({ to: 'follower', leader: undefined })
    }
    this.#follower?.madeWay()
  }

  #observe(leader: ReplicaKey): void {
    // Others may not know yet that the leader they mean is this one, before it was started anew.
    if (this.#role.hasLiveLeader || leader === this.#replica.self) return
    this.#replica.sendUnbound(leader, { type: 'observe' }, this.term)
  }

  #answerVote(message: Message & { type: 'vote' }): void {
    const granted = answerVote(this.#replica, message, this.leader)
    if (granted) this.#follower?.voted()
  }

  #answerObserver(message: Message): void {
    if (this.#role instanceof Leader) this.#role.follow(message.from)
    else if (this.leader !== undefined) {
      const redirect = { type: 'redirect', leader: this.leader } as const
      this.#replica.sendUnbound(message.from, redirect, this.term)
    }
  }

  #become(transition: Transition): void {
    if (transition === undefined) return
    this.#role.end()
    if (transition.to === 'leader') this.#role = new Leader(this.#replica)
    else if (transition.to === 'follower') {
      this.#role = new Follower(this.#replica, { leader: transition.leader })
    } else {
      const candidate = new Candidate(this.#replica, transition)
      this.#role = candidate
      this.#noteRole()
      this.#become(candidate.begin())
      return
    }
    this.#noteRole()
  }

  #noteRole(): void {
    const { role, leader } = this.#role
    this.#replica.events.push({ type: 'role', role, term: this.term, leader })
  }
}
