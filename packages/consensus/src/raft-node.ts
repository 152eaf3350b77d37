/**
 * The shell of one replica: the only place that does what `Ready` asks. Inputs of one turn of the event loop are handled together;
 * one write is under way at a time, and what comes in meanwhile goes with the next. An error of the disk ends the process.
 */
import type { Clock, Random, Timer } from '@naru/base'
import {
  defaultLimits,
  type Entry,
  entryBytes,
  type Message,
  type Persist,
  Raft,
  type RaftEvent,
  type RaftLimits,
  type Ready,
  type Refusal,
  type ReplicaKey,
  reachedByMajority,
} from '@naru/raft'
import { ConsensusError } from './errors.ts'
import type { PeerTransport } from './peer-transport.ts'
import { SnapshotExchange } from './snapshot-exchange.ts'
import type { StateMachine } from './state-machine.ts'
import type { RaftStorage } from './storage/raft-storage.ts'

/** What a replica keeps at once; each has a default. */
export interface LogLimits {
  /** Entries after which a snapshot is taken. */
  readonly snapshotEntries?: number
  /** Bytes of entries after which a snapshot is taken, and more when the snapshot is so large that it would be half of them. */
  readonly snapshotBytes?: number
  /** Entries that are kept below a snapshot. */
  readonly trailingEntries?: number
  /** Of a snapshot, in one message. */
  readonly chunkBytes?: number
  readonly limits?: RaftLimits
}

export interface RaftNodeOptions extends LogLimits {
  readonly self: ReplicaKey
  readonly storage: RaftStorage
  readonly transport: PeerTransport
  readonly stateMachine: StateMachine
  readonly clock: Clock
  readonly random: Random
  readonly contacts: readonly ReplicaKey[]
  readonly electionBaseMs: number
  readonly heartbeatMs: number
  readonly onEvent: (event: RaftEvent) => void
  /** The disk failed, or an invariant is broken: the process must end. */
  readonly onFatal: (error: unknown) => void
}

/** An entry on its way. */
export interface Proposed {
  readonly index: bigint
  readonly applied: Promise<void>
}

interface Waiter {
  readonly term: bigint
  readonly resolve: () => void
  readonly reject: (error: ConsensusError) => void
}

export class RaftNode implements AsyncDisposable {
  readonly #options: RaftNodeOptions
  readonly #raft: Raft
  /** Proposals of this node by index, until they are applied or cannot be any more. */
  readonly #waiters = new Map<bigint, Waiter>()
  readonly #reads = new Map<
    number,
    { resolve: (index: bigint) => void; reject: (error: unknown) => void }
  >()
  #nextRead = 0
  #appliedIndex: bigint
  #appliedBytes = 0
  #isScheduled = false
  #isStopped = false
  #timer: Timer | undefined
  #timerMs = Number.POSITIVE_INFINITY
  #writing: Promise<void> = Promise.resolve()
  readonly #snapshots: SnapshotExchange
  /** Who waits until an index is applied. */
  #appliedWaiters: {
    readonly index: bigint
    readonly resolve: () => void
    readonly reject: (error: ConsensusError) => void
  }[] = []

  private constructor(options: RaftNodeOptions, stateBytes: number) {
    this.#options = options
    const { self, random, contacts, electionBaseMs, heartbeatMs, storage, clock } = options
    const { trailingEntries = 1_000, limits = defaultLimits } = options
    this.#raft = new Raft(
      { self, random, contacts, electionBaseMs, heartbeatMs, trailingEntries, limits },
      storage.stored,
      clock.monotonic(),
    )
    this.#appliedIndex = storage.stored.snapshot?.index ?? 0n
    this.#snapshots = new SnapshotExchange({
      raft: this.#raft,
      storage,
      stateMachine: options.stateMachine,
      chunkBytes: options.chunkBytes ?? 256 << 10,
      stateBytes,
      onRestored: (index) => {
        this.#appliedIndex = index
        this.#wakeApplied()
      },
      onProgress: () => this.#schedule(),
      onError: (error) => this.#fail(error),
    })
  }

  /** Starts from what the disk holds. Throws SNAPSHOT_LOST when the snapshot cannot be read. */
  static async start(options: RaftNodeOptions): Promise<RaftNode> {
    const { storage, stateMachine } = options
    const { snapshot } = storage.stored
    let stateBytes = 0
    if (snapshot !== undefined) {
      const state = await storage.loadSnapshot(snapshot.index)
      if (state === undefined)
        throw new ConsensusError('SNAPSHOT_LOST', `Cannot read snapshot ${snapshot.index}`)
      stateMachine.restore(state, snapshot.index)
      stateBytes = state.length
    }
    const node = new RaftNode(options, stateBytes)
    node.#schedule()
    return node
  }

  get raft(): Pick<
    Raft,
    'role' | 'term' | 'leader' | 'voters' | 'log' | 'progress' | 'isRecovering'
  > {
    return this.#raft
  }

  get isLeader(): boolean {
    return this.#raft.role === 'leader'
  }

  /** Whether this node leads and a majority of the voters, itself counted, has spoken within that time. */
  leadsMajority(withinMs: number): boolean {
    if (!this.isLeader) return false
    const { voters, progress } = this.#raft
    const { self } = this.#options
    const heardMs = reachedByMajority(voters, (voter) =>
      voter === self ? this.#nowMs : (progress.get(voter)?.heardMs ?? Number.NEGATIVE_INFINITY),
    )
    return heardMs !== undefined && this.#nowMs - heardMs < withinMs
  }

  get appliedIndex(): bigint {
    return this.#appliedIndex
  }

  /** Index that the next proposal of a leader gets. */
  get nextIndex(): bigint {
    return this.#raft.log.lastIndex + 1n
  }

  /**
   * Appends an entry if this node leads: throws NOT_LEADER or REFUSED at once. `applied` resolves when the entry is applied here and
   * rejects with LEADERSHIP_LOST when nobody knows what became of it.
   */
  propose(payload: Buffer): Proposed {
    return this.#proposed(this.#raft.propose([{ kind: 'data', payload }]))
  }

  /** Adds or removes a voter, like `propose`. */
  changeVoters(change: { add: ReplicaKey } | { remove: ReplicaKey }): Proposed {
    return this.#proposed(this.#raft.changeVoters(change))
  }

  /** Resolves when the entry at `index` is applied here. */
  async applied(index: bigint): Promise<void> {
    if (this.#appliedIndex >= index) return
    if (this.#isStopped) throw lost('the node stops')
    await new Promise<void>((resolve, reject) => {
      this.#appliedWaiters.push({ index, resolve, reject })
    })
  }

  /** Resolves when everything that was acknowledged by anybody before the call is applied here; gives the index of that. */
  async readBarrier(): Promise<bigint> {
    const id = this.#nextRead++
    const refusal = this.#raft.read(id)
    if (refusal !== undefined) throw refused(refusal)
    const index = await new Promise<bigint>((resolve, reject) => {
      this.#reads.set(id, { resolve, reject })
      this.#schedule()
    })
    // Reads are released after the entries that they must see are handed out.
    await this.applied(index)
    return index
  }

  transferLeadership(target: ReplicaKey): Refusal | undefined {
    const refusal = this.#raft.transferLeadership(target)
    this.#schedule()
    return refusal
  }

  /** A message has arrived. */
  receive(message: Message): void {
    if (this.#isStopped) return
    this.#raft.step(message, this.#nowMs)
    this.#schedule()
  }

  /** The process of that replica is surely gone. */
  forget(peer: ReplicaKey): void {
    if (this.#isStopped) return
    this.#raft.forgetLeader(peer, this.#nowMs)
    this.#schedule()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#failAll('the node stops')
    await this.#writing.catch(() => {})
    await this.#snapshots.stop()
  }

  get #nowMs(): number {
    return this.#options.clock.monotonic()
  }

  #proposed(result: { index: bigint; term: bigint } | Refusal): Proposed {
    if (typeof result === 'string') throw refused(result)
    this.#schedule()
    const { index, term } = result
    const applied = new Promise<void>((resolve, reject) => {
      this.#waiters.set(index, { term, resolve, reject })
    })
    return { index, applied }
  }

  /** What came in during this turn is handled together when it ends. */
  #schedule(): void {
    if (this.#isScheduled || this.#isStopped) return
    this.#isScheduled = true
    this.#options.clock.afterTurn(() => {
      this.#isScheduled = false
      if (this.#isStopped) return
      try {
        this.#work()
      } catch (error) {
        this.#fail(error)
      }
    })
  }

  #work(): void {
    if (this.#raft.deadlineMs <= this.#nowMs) this.#raft.elapsed(this.#nowMs)
    // What may be ready next waits for the next turn: thousands of entries at once would keep this node from being heard.
    if (this.#handle(this.#raft.takeReady())) this.#schedule()
    this.#armTimer()
  }

  /** Returns whether more may be ready at once. */
  #handle(ready: Ready): boolean {
    if (ready.persist !== undefined) this.#write(ready.persist)
    for (const message of ready.messages) this.#options.transport.send(message)
    for (const entry of ready.committed) this.#apply(entry)
    for (const event of ready.events) this.#note(event)
    for (const { id, index } of ready.reads) this.#settleRead(id)?.resolve(index)
    for (const id of ready.failedReads) this.#settleRead(id)?.reject(refused('notLeader'))
    for (const chunk of ready.chunks) this.#snapshots.send(chunk)
    for (const chunk of ready.received) this.#snapshots.store(chunk)
    this.#considerSnapshot()
    return ready.committed.length > 0
  }

  #write(persist: Persist): void {
    this.#writing = this.#options.storage.persist(persist)
    this.#writing.then(
      () => {
        if (this.#isStopped) return
        this.#raft.persisted(this.#nowMs)
        this.#schedule()
      },
      (error: unknown) => this.#fail(error),
    )
  }

  #apply(entry: Entry): void {
    if (entry.kind === 'data') this.#options.stateMachine.apply(entry.payload, entry.index)
    this.#appliedIndex = entry.index
    this.#appliedBytes += entryBytes(entry)
    this.#wakeApplied()
    const waiter = this.#waiters.get(entry.index)
    if (waiter === undefined) return
    this.#waiters.delete(entry.index)
    if (waiter.term === entry.term) waiter.resolve()
    else waiter.reject(lost('another entry took its place'))
  }

  #note(event: RaftEvent): void {
    if (event.type === 'role' && event.role !== 'leader')
      this.#failWaiters('the leader has changed')
    if (event.type === 'recovered') {
      this.#options.storage.noteRecovered().catch((error: unknown) => this.#fail(error))
    }
    this.#options.onEvent(event)
  }

  #wakeApplied(): void {
    const done = this.#appliedWaiters.filter(({ index }) => index <= this.#appliedIndex)
    if (done.length === 0) return
    this.#appliedWaiters = this.#appliedWaiters.filter((waiter) => !done.includes(waiter))
    for (const { resolve } of done) resolve()
  }

  #settleRead(id: number) {
    const read = this.#reads.get(id)
    this.#reads.delete(id)
    return read
  }

  #failWaiters(reason: string): void {
    for (const { reject } of this.#waiters.values()) reject(lost(reason))
    this.#waiters.clear()
    for (const { reject } of this.#reads.values()) reject(lost(reason))
    this.#reads.clear()
  }

  #failAll(reason: string): void {
    this.#failWaiters(reason)
    for (const { reject } of this.#appliedWaiters.splice(0)) reject(lost(reason))
  }

  #considerSnapshot(): void {
    const since = this.#appliedIndex - (this.#raft.snapshot?.index ?? 0n)
    const { snapshotEntries = 5_000, snapshotBytes = 1 << 20 } = this.#options
    // A start applies what follows the snapshot: in proportion, that takes as long as to restore a few of them.
    const bytes = Math.max(snapshotBytes, 2 * this.#snapshots.stateBytes)
    if (since < BigInt(snapshotEntries) && this.#appliedBytes < bytes) return
    this.#appliedBytes = 0
    this.#snapshots.take(this.#appliedIndex)
  }

  #armTimer(): void {
    const { deadlineMs } = this.#raft
    if (deadlineMs === this.#timerMs) return
    this.#timer?.cancel()
    this.#timerMs = deadlineMs
    if (deadlineMs === Number.POSITIVE_INFINITY) return
    this.#timer = this.#options.clock.setTimer(Math.max(0, deadlineMs - this.#nowMs), () => {
      this.#timerMs = Number.POSITIVE_INFINITY
      this.#schedule()
    })
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#timer?.cancel()
    this.#failAll('the node has failed')
    this.#options.onFatal(error)
  }
}

function refused(refusal: Refusal): ConsensusError {
  return new ConsensusError(
    refusal === 'notLeader' ? 'NOT_LEADER' : 'REFUSED',
    `Refused: ${refusal}`,
    refusal,
  )
}

function lost(reason: string): ConsensusError {
  return new ConsensusError('LEADERSHIP_LOST', `What became of it is not known: ${reason}`)
}
