/** A replica with a disk that is a variable, for scripts: it does what `Ready` asks, at once or when it is told to. */
import type { Random } from '@naru/base'
import type { Entry, ReplicaKey, Snapshot } from '../entry.ts'
import type { Message } from '../messages.ts'
import { defaultLimits, type RaftLimits } from '../options.ts'
import { Raft } from '../raft.ts'
import type { Persist } from '../ready.ts'
import type { StoredState } from '../replica.ts'
import { formatEntry, formatEvent, formatMessage, formatPersist } from './format.ts'

export const electionBaseMs = 600
export const heartbeatMs = 150
/** A snapshot of a script is this many bytes, sent in pieces of that many. */
const snapshotBytes = 10
const chunkBytes = 4

/** No chance in scripts: every draw is the same, so that deadlines can be foretold. */
const noRandom: Random = { uint32: () => 0, bytes: (length) => Buffer.alloc(length) }

export interface NodeOptions {
  readonly key: ReplicaKey
  readonly stored: StoredState
  readonly contacts: readonly ReplicaKey[]
  readonly limits: Partial<RaftLimits>
  readonly print: (line: string) => void
}

export class ScriptNode {
  readonly #options: NodeOptions
  raft: Raft
  stored: StoredState
  /** A slow disk: writes end when the script says so. */
  isHeld = false
  #writing: Persist | undefined
  readonly applied: Entry[] = []

  constructor(options: NodeOptions, nowMs: number) {
    this.#options = options
    this.stored = options.stored
    this.raft = this.#start(nowMs)
  }

  /** The process dies and starts again; what was being written is lost. */
  restart(nowMs: number, change: Partial<StoredState> = {}): void {
    this.#writing = undefined
    this.stored = { ...this.stored, ...change }
    this.applied.length = 0
    this.raft = this.#start(nowMs)
  }

  /** Does everything that there is to do, and gives the messages. */
  run(nowMs: number): Message[] {
    const sent: Message[] = []
    for (let isBusy = true; isBusy; ) {
      const ready = this.raft.takeReady()
      for (const event of ready.events) this.#print(formatEvent(event))
      if (ready.persist !== undefined) {
        this.#print(`writes ${formatPersist(ready.persist)}`)
        this.#writing = ready.persist
      }
      for (const message of ready.messages) this.#options.print(`  ${formatMessage(message)}`)
      sent.push(...ready.messages)
      if (ready.committed.length > 0) {
        this.#print(`applies ${ready.committed.map(formatEntry).join(', ')}`)
        this.applied.push(...ready.committed)
      }
      for (const read of ready.reads) this.#print(`may answer read ${read.id} at ${read.index}`)
      for (const id of ready.failedReads) this.#print(`cannot answer read ${id}`)
      const hadSnapshot = this.#serveSnapshots(ready)
      const hasWritten = !this.isHeld && this.finishWrite(nowMs)
      isBusy = hadSnapshot || hasWritten || ready.committed.length > 0
    }
    return sent
  }

  /** What was being written is on the disk. */
  finishWrite(nowMs: number): boolean {
    const writing = this.#writing
    if (writing === undefined) return false
    this.#writing = undefined
    const first = writing.entries[0]?.index
    const kept =
      writing.reset !== undefined
        ? []
        : this.stored.entries.filter(({ index }) => first === undefined || index < first)
    this.stored = {
      ...this.stored,
      hardState: writing.hardState ?? this.stored.hardState,
      snapshot: writing.reset ?? this.stored.snapshot,
      entries: [...kept, ...writing.entries],
    }
    this.raft.persisted(nowMs)
    return true
  }

  /** Takes a snapshot of what it has applied. */
  takeSnapshot(): Snapshot {
    const { index, term } = this.applied.at(-1) as Entry
    const snapshot = { index, term, voters: this.raft.votersAt(index) }
    this.stored = {
      ...this.stored,
      snapshot,
      entries: this.stored.entries.filter((entry) => entry.index > index),
    }
    this.raft.snapshotTaken(snapshot)
    return snapshot
  }

  #serveSnapshots({ chunks, received }: ReturnType<Raft['takeReady']>): boolean {
    for (const { to, snapshot, offset } of chunks) {
      const data = Buffer.alloc(Math.min(chunkBytes, snapshotBytes - offset), 's')
      const isLast = offset + data.length === snapshotBytes
      this.raft.sendChunk(to, { snapshot, offset, data, isLast })
    }
    for (const chunk of received) {
      this.#print(
        `stores bytes ${chunk.offset}+${chunk.data.length} of snapshot ${chunk.snapshot.index}`,
      )
      if (!chunk.isLast) this.raft.chunkStored(chunk, true)
      else {
        this.raft.snapshotInstalled(chunk.snapshot)
        this.applied.length = 0
      }
    }
    return chunks.length + received.length > 0
  }

  #start(nowMs: number): Raft {
    const { key, contacts, limits } = this.#options
    return new Raft(
      {
        self: key,
        random: noRandom,
        electionBaseMs,
        heartbeatMs,
        contacts,
        trailingEntries: 0,
        limits: { ...defaultLimits, ...limits },
      },
      this.stored,
      nowMs,
    )
  }

  #print(line: string): void {
    this.#options.print(`  ${this.#options.key} ${line}`)
  }
}
