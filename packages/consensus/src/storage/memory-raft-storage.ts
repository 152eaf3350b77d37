/** A disk that is a variable: what was written is there when the storage is opened again, and nothing ever fails. */
import { entriesAfter, type Persist, type Snapshot, type StoredState } from '@naru/raft'
import type { RaftStorage } from './raft-storage.ts'

/** What outlives the storage. */
export class MemoryDisk {
  state: StoredState = {
    hardState: { term: 0n, vote: undefined },
    snapshot: undefined,
    entries: [],
    isRecovering: false,
    recoveries: 0,
  }
  /** Newest last. */
  readonly snapshots = new Map<bigint, { snapshot: Snapshot; data: Buffer }>()
  received: Buffer = Buffer.alloc(0)
}

export class MemoryRaftStorage implements RaftStorage {
  readonly #disk: MemoryDisk
  readonly stored: StoredState

  constructor(disk: MemoryDisk) {
    this.#disk = disk
    const { state } = disk
    const { snapshot } = state
    const entries = snapshot === undefined ? state.entries : entriesAfter(snapshot, state.entries)
    this.stored = { ...state, entries }
  }

  async persist({ hardState, reset, entries }: Persist): Promise<void> {
    const { state } = this.#disk
    const first = entries[0]?.index
    const kept =
      reset === undefined
        ? state.entries.filter(({ index }) => first === undefined || index < first)
        : []
    this.#disk.state = {
      ...state,
      hardState: hardState ?? state.hardState,
      entries: [...kept, ...entries],
    }
  }

  async noteRecovered(): Promise<void> {
    this.#disk.state = { ...this.#disk.state, isRecovering: false }
  }

  async compact(index: bigint): Promise<void> {
    const { state } = this.#disk
    const entries = state.entries.filter((entry) => entry.index > index)
    this.#disk.state = { ...state, entries }
  }

  async saveSnapshot(snapshot: Snapshot, data: Buffer): Promise<void> {
    this.#disk.snapshots.set(snapshot.index, { snapshot, data })
    this.#disk.state = { ...this.#disk.state, snapshot }
  }

  async loadSnapshot(index: bigint): Promise<Buffer | undefined> {
    return this.#disk.snapshots.get(index)?.data
  }

  async readSnapshot(index: bigint, offset: number, bytesMax: number) {
    const bytes = this.#disk.snapshots.get(index)?.data
    if (bytes === undefined) return undefined
    const data = bytes.subarray(offset, offset + bytesMax)
    return { data, isLast: offset + data.length >= bytes.length }
  }

  async receive(_: Snapshot, offset: number, data: Buffer): Promise<void> {
    this.#disk.received = Buffer.concat([this.#disk.received.subarray(0, offset), data])
  }

  async finishReceived(snapshot: Snapshot): Promise<Buffer | undefined> {
    const data = this.#disk.received
    await this.saveSnapshot(snapshot, data)
    return data
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
