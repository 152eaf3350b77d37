/** The storage of a replica on a simulated disk: everything takes time of the process, and may fail. */
import { FileSystemError } from '@naru/base'
import type { RaftStorage } from '@naru/consensus'
import type { Persist, Snapshot, StoredState } from '@naru/raft'
import { mustHold } from '../raft/raft-history.ts'
import type { SimulatedProcess } from '../simulated-process.ts'
import { type RaftDisk, stateIn } from './raft-disk.ts'

export interface StoragePorts {
  readonly process: SimulatedProcess
  /** What the next operation takes. */
  delayMs(): number
  /** Whether the next operation fails. */
  fails(): boolean
  /** The core has changed its log. */
  onPersist(write: Persist): void
  /** A snapshot is on the disk. */
  onSnapshot(index: bigint, state: Buffer): void
  /** A snapshot of another replica is about to take the place of everything up to there. */
  onReceived(index: bigint): void
}

export class SimulatedRaftStorage implements RaftStorage {
  readonly stored: StoredState
  readonly #disk: RaftDisk
  readonly #ports: StoragePorts
  #underWay: Promise<unknown> = Promise.resolve()

  private constructor(disk: RaftDisk, ports: StoragePorts) {
    mustHold(!disk.isHeld, 'one process holds a disk', () => disk.key)
    this.#disk = disk
    this.#ports = ports
    this.stored = disk.open()
  }

  static async open(disk: RaftDisk, ports: StoragePorts): Promise<SimulatedRaftStorage> {
    await ports.process.pause(ports.delayMs())
    return new SimulatedRaftStorage(disk, ports)
  }

  async persist(write: Persist): Promise<void> {
    const { onPersist } = this.#ports
    // The first voters are told to nobody before they are durable: a founder that dies may name others the next time.
    const isFounding = write.entries[0]?.index === 1n
    if (!isFounding) onPersist(write)
    await this.#operate('write', this.#disk.stagesOf(write), () => {})
    if (isFounding) onPersist(write)
  }

  noteRecovered(): Promise<void> {
    return this.#operate('write', [() => this.#disk.recovered()], () => {})
  }

  compact(index: bigint): Promise<void> {
    return this.#operate('write', [() => this.#disk.compact(index)], () => {})
  }

  async saveSnapshot(snapshot: Snapshot, data: Buffer): Promise<void> {
    await this.#operate('write', [() => this.#disk.saveSnapshot(snapshot, data)], () => {})
    this.#ports.onSnapshot(snapshot.index, data)
  }

  loadSnapshot(index: bigint): Promise<Buffer | undefined> {
    return this.#operate('read', [], () => stateIn(this.#disk.snapshotBytes(index)))
  }

  readSnapshot(index: bigint, offset: number, bytesMax: number) {
    return this.#operate('read', [], () => {
      const bytes = this.#disk.snapshotBytes(index)
      if (bytes === undefined) return undefined
      const data = bytes.subarray(offset, offset + bytesMax)
      return { data, isLast: offset + data.length >= bytes.length }
    })
  }

  receive(_: Snapshot, offset: number, data: Buffer): Promise<void> {
    const disk = this.#disk
    const write = () => {
      // A file that is shorter has zeros in between.
      const before = Buffer.alloc(offset)
      disk.received.copy(before)
      disk.received = Buffer.concat([before, data])
    }
    return this.#operate('write', [write], () => {})
  }

  async finishReceived(snapshot: Snapshot): Promise<Buffer | undefined> {
    const state = await this.#operate('read', [], () => stateIn(this.#disk.received))
    this.#disk.received = Buffer.alloc(0)
    if (state === undefined) return undefined
    await this.saveSnapshot(snapshot, state)
    this.#ports.onReceived(snapshot.index)
    return state
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#underWay
    await this.#ports.process.pause(this.#ports.delayMs())
    this.#disk.isHeld = false
  }

  #operate<T>(kind: string, stages: (() => void)[], result: () => T): Promise<T> {
    const { process, delayMs, fails } = this.#ports
    const write = this.#disk.begin(stages)
    const operation = new Promise<T>((resolve, reject) => {
      const hasFailed = fails()
      process.setTimer(delayMs(), () => {
        // What it has come to is found out by the next start.
        if (hasFailed) return reject(new FileSystemError('EIO', kind, `/${this.#disk.key}`))
        this.#disk.complete(write)
        resolve(result())
      })
    })
    this.#underWay = Promise.allSettled([this.#underWay, operation])
    return operation
  }
}
