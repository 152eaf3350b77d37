/** One replica: the core, a disk, and a shell that does what the core asks, with delays. A crash loses everything but the disk. */
import {
  defaultLimits,
  type Entry,
  type Message,
  type Persist,
  Raft,
  type Ready,
  type ReplicaKey,
  type Snapshot,
} from '@naru/raft'
import type { EventQueue } from '../event-queue.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { chainHash, mustHold, type RaftHistory } from './raft-history.ts'
import { SimulatedDisk } from './simulated-raft-disk.ts'

export const electionBaseMs = 600
export const heartbeatMs = 150
const chunkBytes = 6

export interface ReplicaWorld {
  readonly queue: EventQueue
  readonly history: RaftHistory
  readonly random: SeededRandom
  readonly contacts: readonly ReplicaKey[]
  /** How long a write takes. */
  diskMs(replica: ReplicaKey): number
  send(message: Message): void
  diskOf(replica: ReplicaKey): SimulatedDisk | undefined
  /** An entry was applied by somebody. */
  onApplied(replica: ReplicaKey, entry: Entry): void
  onRead(id: number, index: bigint): void
}

export class SimulatedReplica {
  readonly key: ReplicaKey
  readonly disk: SimulatedDisk
  raft: Raft | undefined
  /** When a majority of voters was last heard, for the check of R3. */
  readonly heardMs = new Map<ReplicaKey, number>()
  /** Since when it has its role and its voters. */
  steadySinceMs = 0
  readonly #world: ReplicaWorld
  /** Callbacks of an earlier process do nothing. */
  #process = 0
  #hash = 0
  #appliedIndex = 0n
  #commitIndex = 0n
  #leaderLog = { term: 0n, lastIndex: 0n }
  #received: Buffer[] = []
  #storedMs = 0
  #isPumpDue = false
  #armedMs = Number.POSITIVE_INFINITY

  constructor(key: ReplicaKey, world: ReplicaWorld) {
    this.key = key
    this.#world = world
    this.disk = new SimulatedDisk(key, world.history)
  }

  get appliedIndex(): bigint {
    return this.#appliedIndex
  }

  start(): void {
    const { queue, contacts, random } = this.#world
    const stored = this.disk.stored()
    this.#process++
    this.#hash = stored.snapshot?.hash ?? 0
    this.#appliedIndex = stored.snapshot?.index ?? 0n
    this.#commitIndex = this.#appliedIndex
    this.#received = []
    this.#isPumpDue = false
    this.#armedMs = Number.POSITIVE_INFINITY
    const limits = {
      ...defaultLimits,
      appendBytes: 200,
      inflightMessages: 3,
      uncommittedBytes: 4_000,
    }
    const self = this.key
    this.raft = new Raft(
      { self, random, electionBaseMs, heartbeatMs, contacts, trailingEntries: 3, limits },
      stored,
      queue.nowMs,
    )
    this.pump()
  }

  crash(): void {
    this.#process++
    this.raft = undefined
  }

  receive(message: Message): void {
    if (this.raft === undefined) return
    this.heardMs.set(message.from, this.#world.queue.nowMs)
    this.raft.step(message, this.#world.queue.nowMs)
    this.pump()
  }

  /** Does what is to do, a moment later: what comes in meanwhile goes with it. */
  pump(): void {
    if (this.#isPumpDue) return
    this.#isPumpDue = true
    this.#later(this.#world.random.below(3) / 2, () => {
      this.#isPumpDue = false
      for (let isBusy = true; isBusy; ) isBusy = this.#handle((this.raft as Raft).takeReady())
      this.#check()
      this.#arm()
    })
  }

  /** Runs `action` unless the process has died by then. */
  #later(delayMs: number, action: () => void): void {
    const process = this.#process
    this.#world.queue.after(delayMs, () => {
      if (process === this.#process && this.raft !== undefined) action()
    })
  }

  /** Returns whether more may have come of it at once. */
  #handle(ready: Ready): boolean {
    const raft = this.raft as Raft
    for (const event of ready.events) {
      if (event.type !== 'recovered') this.steadySinceMs = this.#world.queue.nowMs
      if (event.type === 'recovered') this.disk.recovered()
      if (event.type !== 'role' || event.role !== 'leader') continue
      const { baseIndex } = raft.log
      this.#world.history.becameLeader(
        this.key,
        event.term,
        (index) => raft.log.termAt(index),
        baseIndex,
      )
    }
    if (ready.persist !== undefined) this.#write(ready.persist)
    for (const message of ready.messages) {
      this.#world.history.sent(message, this.disk)
      this.#world.send(message)
    }
    for (const entry of ready.committed) this.#apply(entry)
    for (const { id, index } of ready.reads) this.#world.onRead(id, index)
    for (const request of ready.chunks) this.#sendChunk(request)
    for (const chunk of ready.received) this.#store(chunk)
    return ready.committed.length + ready.received.length + ready.chunks.length > 0
  }

  #write(persist: Persist): void {
    this.#later(this.#world.diskMs(this.key), () => {
      this.disk.write(persist)
      ;(this.raft as Raft).persisted(this.#world.queue.nowMs)
      this.pump()
    })
  }

  #apply(entry: Entry): void {
    mustHold(
      entry.index === this.#appliedIndex + 1n,
      'entries are applied in order',
      () => this.key,
    )
    this.#hash = chainHash(this.#hash, entry)
    this.#appliedIndex = entry.index
    this.#world.history.applied(this.key, entry, this.#hash)
    this.#world.onApplied(this.key, entry)
  }

  /** Takes a snapshot of what it has applied. */
  takeSnapshot(): void {
    const raft = this.raft
    const index = this.#appliedIndex
    if (raft === undefined || index <= (this.disk.snapshot?.index ?? 0n)) return
    const term = raft.log.termAt(index) as bigint
    const snapshot = { index, term, voters: raft.votersAt(index), hash: this.#hash }
    this.disk.install(snapshot)
    raft.snapshotTaken(snapshot)
    this.disk.compact(raft.log.baseIndex)
  }

  #sendChunk({ to, snapshot, offset }: Ready['chunks'][number]): void {
    const raft = this.raft as Raft
    if (this.disk.snapshot?.index !== snapshot.index) {
      raft.chunkUnavailable(to)
      return
    }
    const bytes = Buffer.from(`${this.disk.snapshot.hash}`.padStart(16))
    const data = bytes.subarray(offset, offset + chunkBytes)
    raft.sendChunk(to, { snapshot, offset, data, isLast: offset + data.length >= bytes.length })
  }

  /** One after the other: a piece of a new snapshot must not be overtaken by one of the old. */
  #store(chunk: Ready['received'][number]): void {
    const { nowMs } = this.#world.queue
    this.#storedMs = Math.max(this.#storedMs, nowMs + this.#world.diskMs(this.key))
    this.#later(this.#storedMs - nowMs, () => {
      const raft = this.raft as Raft
      if (chunk.offset === 0) this.#received = []
      this.#received.push(chunk.data)
      if (!chunk.isLast) raft.chunkStored(chunk, true)
      else this.#install(chunk.snapshot)
      if (this.raft !== undefined) this.pump()
    })
  }

  #install(snapshot: Snapshot): void {
    const raft = this.raft as Raft
    // Appends may have come past it meanwhile.
    if (snapshot.index <= raft.log.commitIndex) {
      raft.snapshotInstalled(snapshot)
      return
    }
    const hash = Number(Buffer.concat(this.#received).toString())
    this.disk.install({ ...snapshot, hash })
    this.#hash = hash
    this.#appliedIndex = snapshot.index
    raft.snapshotInstalled(snapshot)
    // Just before the log that the snapshot replaces is dropped.
    if (this.#world.random.chance(0.2)) this.crash()
  }

  #check(): void {
    const raft = this.raft as Raft
    const { log, role, term, voters } = raft
    const { history } = this.#world
    mustHold(log.commitIndex >= this.#commitIndex, 'commit index is monotonic', () => this.key)
    mustHold(log.commitIndex <= log.lastIndex, 'commit index is in the log', () => this.key)
    if (role === 'leader') {
      const { term: ledTerm, lastIndex } = this.#leaderLog
      const isKept = ledTerm !== term || log.lastIndex >= lastIndex
      mustHold(isKept, 'a leader never truncates', () => this.key)
      this.#leaderLog = { term, lastIndex: log.lastIndex }
      if (log.commitIndex > this.#commitIndex) {
        const voterSets = [raft.votersAt(log.commitIndex), voters]
        history.leaderCommitted(log.commitIndex, voterSets, (key) => this.#world.diskOf(key), term)
      }
    }
    this.#commitIndex = log.commitIndex
  }

  #arm(): void {
    const { deadlineMs } = this.raft as Raft
    const { nowMs } = this.#world.queue
    if (deadlineMs === Number.POSITIVE_INFINITY || deadlineMs === this.#armedMs) return
    this.#armedMs = deadlineMs
    this.#later(deadlineMs - nowMs, () => {
      if (this.#armedMs === deadlineMs) this.#armedMs = Number.POSITIVE_INFINITY
      ;(this.raft as Raft).elapsed(this.#world.queue.nowMs)
      this.pump()
    })
  }
}
