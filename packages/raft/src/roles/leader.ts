/** Leads its term: appends, replicates, commits by counting, and gives up when a majority is silent. */
import { crc32c } from '@naru/base'
import { type Entry, entryBytes, type ReplicaKey, type Snapshot } from '../entry.ts'
import type { Message, MessageOf } from '../messages.ts'
import { Progress } from '../progress.ts'
import { majority, reachedByMajority } from '../quorum.ts'
import { ReadIndex } from '../read-index.ts'
import type { Replica } from '../replica.ts'
import type { RoleBehaviour, Transition } from './role.ts'

/** Why a leader does not do what it is asked. */
export type LeaderRefusal =
  /** Too much is proposed and not yet committed, or too many reads wait: try again later. */
  | 'busy'
  /** It is handing over its leadership. */
  | 'handingOver'
  /** No entry of its term is committed yet, so it cannot know what is. */
  | 'notReady'
  | 'changeInProgress'
  | 'alreadyVoter'
  | 'unknownVoter'
  | 'lastVoter'
  /** Of the voters that would remain no majority answers. */
  | 'noMajority'
  /** The replica to add or to hand over to does not follow the log closely. */
  | 'lagging'

/** An entry before it has a place. */
export type Proposal =
  | { readonly kind: 'data'; readonly payload: Buffer }
  | { readonly kind: 'noop' }
  | { readonly kind: 'voters'; readonly voters: readonly ReplicaKey[] }

export class Leader implements RoleBehaviour {
  readonly role = 'leader'
  readonly hasLiveLeader = true
  readonly #replica: Replica
  readonly #progress = new Map<ReplicaKey, Progress>()
  readonly #reads: ReadIndex
  /** Index of the first entry of its term. */
  readonly #termStart: bigint
  #heartbeatMs: number
  #isHeartbeatDue = true
  #quorumMs: number
  #uncommittedBytes = 0
  #handover:
    | { readonly target: ReplicaKey; readonly deadlineMs: number; isSent: boolean }
    | undefined

  constructor(replica: Replica) {
    this.#replica = replica
    this.#reads = new ReadIndex(replica.options.limits.reads)
    this.#heartbeatMs = replica.nowMs + replica.options.heartbeatMs
    this.#quorumMs = replica.nowMs + replica.options.electionBaseMs
    this.#termStart = replica.log.lastIndex + 1n
    this.#trackVoters(replica.log.lastIndex + 1n)
    this.#append([{ kind: 'noop' }])
  }

  get leader(): ReplicaKey {
    return this.#replica.self
  }

  get deadlineMs(): number {
    const handoverMs = this.#handover?.deadlineMs ?? Number.POSITIVE_INFINITY
    // Nobody to talk to, nobody to wait for: an idle quorum of one costs nothing.
    if (this.#progress.size === 0) return handoverMs
    return Math.min(this.#heartbeatMs, this.#quorumMs, handoverMs)
  }

  /** What it knows of the others, for status reports. */
  get progress(): ReadonlyMap<ReplicaKey, Progress> {
    return this.#progress
  }

  step(message: Message): Transition {
    const progress = this.#progress.get(message.from)
    if (progress === undefined) return undefined
    switch (message.type) {
      case 'appendReply':
        progress.heardMs = this.#replica.nowMs
        this.#appendReply(progress, message)
        this.#noteCaughtUp(progress)
        return this.#advanceCommit()
      case 'heartbeatReply':
        progress.heard(this.#replica.nowMs)
        progress.round = Math.max(progress.round, message.round)
        this.#noteCaughtUp(progress)
        this.#confirmReads()
        this.#repeatChunk(progress)
        break
      case 'snapshotReply':
        progress.heardMs = this.#replica.nowMs
        this.#snapshotReply(progress, message)
        break
      default:
    }
    return undefined
  }

  elapsed(): Transition {
    const { nowMs, options } = this.#replica
    if (nowMs >= this.#heartbeatMs) {
      this.#heartbeatMs = nowMs + options.heartbeatMs
      this.#isHeartbeatDue = true
      if (this.#handover !== undefined) this.#handover.isSent = false
      this.#forgetSilentObservers()
    }
    if (this.#handover !== undefined && nowMs >= this.#handover.deadlineMs) {
      this.#handover = undefined
    }
    return nowMs >= this.#quorumMs ? this.#checkQuorum() : undefined
  }

  persisted(): Transition {
    return this.#advanceCommit()
  }

  /** Sends what there is to each: everything that came in since the last time goes together. */
  emit(): void {
    if (this.#knowsCommitted && this.#reads.begin(this.#replica.log.commitIndex)) {
      this.#isHeartbeatDue = true
      this.#confirmReads()
    }
    for (const [replica, progress] of this.#progress) {
      if (this.#isHeartbeatDue) this.#heartbeat(replica, progress)
      this.#replicate(replica, progress)
      this.#requestChunk(replica, progress)
    }
    this.#isHeartbeatDue = false
    this.#handOver()
  }

  end(): void {
    this.#replica.failedReads.push(...this.#reads.abandon())
  }

  /** Sends the log to a replica without a vote, from now on. */
  follow(replica: ReplicaKey): void {
    if (this.#progress.has(replica)) return
    const { membership, options } = this.#replica
    const observers = [...this.#progress.keys()].filter((each) => !membership.isVoter(each))
    if (observers.length >= options.limits.observers) return
    this.#track(replica, this.#replica.log.lastIndex + 1n)
  }

  propose(proposals: readonly Proposal[]): { index: bigint } | LeaderRefusal {
    if (this.#handover !== undefined) return 'handingOver'
    const limit = this.#replica.options.limits.uncommittedBytes
    if (this.#uncommittedBytes >= limit) return 'busy'
    return { index: this.#append(proposals) }
  }

  read(id: number): LeaderRefusal | undefined {
    return this.#reads.add(id) ? undefined : 'busy'
  }

  /** Adds or removes one voter (Raft thesis §4.1; conditions of KIP-853). */
  changeVoters(
    change: { add: ReplicaKey } | { remove: ReplicaKey },
  ): { index: bigint } | LeaderRefusal {
    const { membership, log } = this.#replica
    if (this.#handover !== undefined) return 'handingOver'
    if (!this.#knowsCommitted) return 'notReady'
    if (membership.index > log.commitIndex) return 'changeInProgress'
    const voters = 'add' in change ? this.#with(change.add) : this.#without(change.remove)
    if (typeof voters === 'string') return voters
    return { index: this.#append([{ kind: 'voters', voters }]) }
  }

  /** Hands the leadership to `target` as soon as it has the whole log. */
  transferTo(target: ReplicaKey): LeaderRefusal | undefined {
    const { membership, nowMs, options, self } = this.#replica
    if (target === self) return undefined
    const progress = this.#progress.get(target)
    if (!membership.isVoter(target) || progress === undefined) return 'unknownVoter'
    if (progress.isRecovering || progress.state === 'snapshot') return 'lagging'
    this.#handover = { target, deadlineMs: nowMs + options.electionBaseMs, isSent: false }
    return undefined
  }

  sendChunk(
    to: ReplicaKey,
    chunk: { snapshot: Snapshot; offset: number; data: Buffer; isLast: boolean },
  ): void {
    const { transfer } = this.#progress.get(to) ?? {}
    if (transfer?.snapshot.index !== chunk.snapshot.index || transfer.offset !== chunk.offset)
      return
    this.#replica.send(to, { type: 'snapshot', ...chunk, crc: crc32c(chunk.data) })
  }

  /** The file of the snapshot is gone: a newer one has taken its place. */
  chunkUnavailable(to: ReplicaKey): void {
    const { snapshot } = this.#replica
    if (snapshot !== undefined) this.#progress.get(to)?.startSnapshot(snapshot)
  }

  /** An entry of its own term is committed, so it knows what is (Raft §5.4.2). */
  get #knowsCommitted(): boolean {
    return this.#replica.log.commitIndex >= this.#termStart
  }

  #append(proposals: readonly Proposal[]): bigint {
    const { log, term } = this.#replica
    const from = log.lastIndex + 1n
    const entries = proposals.map(
      (proposal, position): Entry => ({ ...proposal, index: from + BigInt(position), term }),
    )
    this.#replica.append(entries)
    for (const entry of entries) this.#uncommittedBytes += entryBytes(entry)
    return log.lastIndex
  }

  /** The voters with one more, or why not. */
  #with(replica: ReplicaKey): ReplicaKey[] | LeaderRefusal {
    const { membership, log, options } = this.#replica
    if (membership.isVoter(replica)) return 'alreadyVoter'
    const progress = this.#progress.get(replica)
    if (progress === undefined || progress.isRecovering) return 'lagging'
    const behind = log.lastIndex - progress.matchIndex
    if (progress.state !== 'replicate' || behind > BigInt(options.limits.inflightMessages)) {
      return 'lagging'
    }
    return [...membership.voters, replica]
  }

  #without(replica: ReplicaKey): ReplicaKey[] | LeaderRefusal {
    const { membership } = this.#replica
    if (!membership.isVoter(replica)) return 'unknownVoter'
    if (membership.voters.length === 1) return 'lastVoter'
    const voters = membership.voters.filter((voter) => voter !== replica)
    const alive = voters.filter((voter) => this.#isAlive(voter))
    return alive.length >= majority(voters.length) ? voters : 'noMajority'
  }

  #isAlive(voter: ReplicaKey): boolean {
    const { nowMs, options, self } = this.#replica
    const heardMs = voter === self ? nowMs : this.#progress.get(voter)?.heardMs
    return heardMs !== undefined && nowMs - heardMs < options.electionBaseMs
  }

  #trackVoters(nextIndex: bigint): void {
    for (const voter of this.#replica.membership.voters) {
      if (voter !== this.#replica.self) this.#track(voter, nextIndex)
    }
  }

  #track(replica: ReplicaKey, nextIndex: bigint): void {
    const { inflightMessages: messagesMax, inflightBytes: bytesMax } = this.#replica.options.limits
    const window = { messagesMax, bytesMax }
    const { nowMs } = this.#replica
    this.#progress.set(replica, new Progress({ nextIndex, nowMs, window }))
  }

  #forgetSilentObservers(): void {
    const { membership, nowMs, options } = this.#replica
    for (const [replica, { heardMs }] of this.#progress) {
      const isSilent = nowMs - heardMs > 10 * options.electionBaseMs
      if (isSilent && !membership.isVoter(replica)) this.#progress.delete(replica)
    }
  }

  #heartbeat(replica: ReplicaKey, progress: Progress): void {
    const { log } = this.#replica
    const { matchIndex } = progress
    const commitIndex = matchIndex < log.commitIndex ? matchIndex : log.commitIndex
    const { round } = this.#reads
    const { isRecovering, recoveries } = progress
    const isTold = isRecovering && this.#knowsCommitted
    const recoverTo = isTold ? { recoverTo: { recoveries, index: log.commitIndex } } : {}
    this.#replica.send(replica, { type: 'heartbeat', commitIndex, round, ...recoverTo })
  }

  #replicate(replica: ReplicaKey, progress: Progress): void {
    while (progress.canSend) {
      const { log, options } = this.#replica
      const prevIndex = progress.nextIndex - 1n
      const prevTerm = log.termAt(prevIndex)
      if (prevTerm === undefined) {
        this.#startSnapshot(progress)
        return
      }
      const { appendBytes } = options.limits
      const entries = progress.hasWindow ? log.slice(progress.nextIndex, appendBytes) : []
      const isNews = entries.length > 0 || progress.toldCommitIndex < log.commitIndex
      if (!isNews && !progress.wantsNudge && progress.state !== 'probe') return
      const { commitIndex } = log
      this.#replica.send(replica, { type: 'append', prevIndex, prevTerm, entries, commitIndex })
      progress.toldCommitIndex = commitIndex
      progress.wantsNudge = false
      if (entries.length === 0) {
        progress.isWaiting = progress.state === 'probe'
        return
      }
      const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0)
      progress.sent((entries.at(-1) as Entry).index, bytes)
    }
  }

  #appendReply(progress: Progress, message: MessageOf<'appendReply'>): void {
    // From before it lost what it acknowledges here.
    if (message.recoveries < progress.recoveries) return
    const hasLost = message.recoveries > progress.recoveries
    progress.recoveries = message.recoveries
    progress.isRecovering = message.isRecovering
    const { rejected } = message
    const { log } = this.#replica
    if (hasLost) progress.lost((rejected?.prevIndex ?? log.lastIndex) + 1n)
    if (rejected === undefined) {
      if (!hasLost) progress.accepted(message.matchIndex)
      return
    }
    const next = log.lastAtOrBelow(rejected.hintIndex, rejected.hintTerm) + 1n
    const nextIndex = next < rejected.prevIndex ? next : rejected.prevIndex
    progress.rejected(rejected.prevIndex, nextIndex)
  }

  /** Commits what a majority of the voters has on its disks, if it is of this term (Raft §5.4.2, figure 8). */
  #advanceCommit(): Transition {
    const { log, membership, term } = this.#replica
    const index = reachedByMajority(membership.voters, (voter) => this.#durableIndexOf(voter))
    if (index === undefined || log.termAt(index) !== term) return undefined
    const before = log.commitIndex
    if (!log.commitTo(index)) return undefined
    this.#noteCommitted(before)
    if (membership.index > index || membership.isVoter(this.#replica.self)) return undefined
    this.#resign()
    return { to: 'follower', leader: undefined }
  }

  #noteCaughtUp(progress: Progress): void {
    const { log, nowMs } = this.#replica
    if (progress.matchIndex >= log.lastIndex) progress.caughtUpMs = nowMs
  }

  #durableIndexOf(voter: ReplicaKey): bigint {
    if (voter === this.#replica.self) return this.#replica.log.durableIndex
    const progress = this.#progress.get(voter)
    return progress === undefined || progress.isRecovering ? 0n : progress.matchIndex
  }

  #noteCommitted(before: bigint): void {
    const { log } = this.#replica
    const from = before < this.#termStart ? this.#termStart : before + 1n
    for (let index = from; index <= log.commitIndex; index++) {
      const entry = log.entryAt(index)
      if (entry !== undefined) this.#uncommittedBytes -= entryBytes(entry)
    }
  }

  /** It has removed itself: the voter that has most may campaign at once. */
  #resign(): void {
    const { membership } = this.#replica
    const byMatch = membership.voters
      .map((voter) => ({ voter, matchIndex: this.#durableIndexOf(voter) }))
      .sort((a, b) => (a.matchIndex > b.matchIndex ? -1 : 1))
    const successor = byMatch[0]?.voter
    for (const [replica, progress] of this.#progress) this.#replicate(replica, progress)
    if (successor !== undefined) this.#replica.send(successor, { type: 'timeoutNow' })
  }

  #confirmReads(): void {
    const round = reachedByMajority(this.#replica.membership.voters, (voter) =>
      voter === this.#replica.self ? this.#reads.round : (this.#progress.get(voter)?.round ?? 0),
    )
    if (round !== undefined) this.#replica.reads.push(...this.#reads.confirm(round))
  }

  /** Gives up when a majority has been silent for too long: it may have another leader by now (Raft thesis §6.2). */
  #checkQuorum(): Transition {
    const { membership, nowMs, options, self } = this.#replica
    const heardMs = reachedByMajority(membership.voters, (voter) =>
      voter === self ? nowMs : (this.#progress.get(voter)?.heardMs ?? 0),
    )
    const aliveUntilMs = (heardMs ?? nowMs) + options.electionBaseMs
    if (aliveUntilMs <= nowMs) return { to: 'follower', leader: undefined }
    this.#quorumMs = aliveUntilMs
    return undefined
  }

  #handOver(): void {
    const handover = this.#handover
    if (handover === undefined || handover.isSent) return
    const progress = this.#progress.get(handover.target)
    if (progress?.matchIndex !== this.#replica.log.lastIndex) return
    handover.isSent = true
    this.#replica.send(handover.target, { type: 'timeoutNow' })
  }

  #startSnapshot(progress: Progress): void {
    const { snapshot } = this.#replica
    if (snapshot !== undefined) progress.startSnapshot(snapshot)
  }

  #snapshotReply(progress: Progress, { index, nextOffset }: MessageOf<'snapshotReply'>): void {
    const { transfer } = progress
    if (transfer?.snapshot.index !== index) return
    transfer.offset = nextOffset
    transfer.sentMs = undefined
  }

  /** A piece that nobody answered for two heartbeats was lost. */
  #repeatChunk({ transfer }: Progress): void {
    const { nowMs, options } = this.#replica
    if (transfer?.sentMs === undefined) return
    if (nowMs - transfer.sentMs > 2 * options.heartbeatMs) transfer.sentMs = undefined
  }

  #requestChunk(to: ReplicaKey, { transfer }: Progress): void {
    if (transfer === undefined || transfer.sentMs !== undefined) return
    transfer.sentMs = this.#replica.nowMs
    this.#replica.chunks.push({ to, snapshot: transfer.snapshot, offset: transfer.offset })
  }
}
