/**
 * A replica's disk, one directory: entries in `level`, which leaves files alone that it does not know; term and vote in slots of
 * their own; snapshots as files. Term and vote are durable before the entries of the same write, so no entry is newer than the term.
 */
import { DecodeError, type FileSystem, type Logger } from '@naru/base'
import { type Entry, entriesAfter, type Persist, type Snapshot, type StoredState } from '@naru/raft'
import { MetadataStoreError } from '../errors.ts'
import { type BinaryLevel, openLevel } from '../level-store.ts'
import { decodeEntry, encodeEntry, type StoredEntry } from './entry-codec.ts'
import { HardStateFile } from './hard-state-file.ts'
import { isLevelLogDamaged } from './level-damage.ts'
import type { RaftStorage } from './raft-storage.ts'
import { SnapshotFiles } from './snapshot-files.ts'

/** How far the slots may lag behind the log, in entries. */
const flushedIndexStep = 1_000n

export interface RaftStorageOptions {
  readonly directory: string
  readonly fileSystem: FileSystem
  readonly logger: Logger
}

type Operation =
  | { readonly type: 'del'; readonly key: Buffer }
  | { readonly type: 'put'; readonly key: Buffer; readonly value: Buffer }

interface Found {
  readonly entries: StoredEntry[]
  /** Keys of what cannot be used. */
  readonly unusable: Buffer[]
  readonly isDamaged: boolean
}

export class LevelRaftStorage implements RaftStorage {
  readonly #level: BinaryLevel
  readonly #hardState: HardStateFile
  readonly #snapshots: SnapshotFiles
  readonly stored: StoredState
  /** Hash of the log up to each stored entry, from `#firstIndex` on. */
  #hashes: number[]
  #firstIndex: bigint
  /** Keys of what cannot be used: kept for whoever wants to look at it, until the log goes on. */
  #unusable: Buffer[]

  private constructor(parts: {
    level: BinaryLevel
    hardState: HardStateFile
    snapshots: SnapshotFiles
    found: Found
  }) {
    this.#level = parts.level
    this.#hardState = parts.hardState
    this.#snapshots = parts.snapshots
    const { newest: snapshot } = parts.snapshots
    const { entries: found, unusable } = parts.found
    this.#firstIndex = found[0]?.entry.index ?? (snapshot?.index ?? 0n) + 1n
    this.#hashes = found.map(({ hash }) => hash)
    this.#unusable = unusable
    const entries = found.map(({ entry }) => entry)
    const { hardState, recoveries, isRecovering } = parts.hardState.record
    this.stored = {
      hardState,
      snapshot,
      entries: snapshot === undefined ? entries : entriesAfter(snapshot, entries),
      isRecovering,
      recoveries,
    }
  }

  /** Throws METADATA_CORRUPT when term and vote are gone: what this replica promised is not known any more. */
  static async open(options: RaftStorageOptions): Promise<LevelRaftStorage> {
    const { directory, fileSystem, logger } = options
    await fileSystem.makeDirectory(directory)
    const hardState = await HardStateFile.open(fileSystem, `${directory}/hard-state`)
    if (hardState === undefined) throw promisesLost(directory)
    await fileSystem.syncDirectory(directory)
    const snapshots = await SnapshotFiles.open(fileSystem, `${directory}/snapshots`)
    const isLogDamaged = await isLevelLogDamaged(fileSystem, directory)
    const level = await openLevel(directory)
    const found = await readEntries(level, snapshots.newest)
    const last = found.entries.at(-1)?.entry.index ?? snapshots.newest?.index ?? 0n
    const isBehind = last < hardState.record.flushedIndex
    if (isLogDamaged || found.isDamaged || isBehind) {
      logger.error('metadata-log-damaged', { directory, usableTo: last })
      // Said before anything is changed: a crash in between must not make it forgotten.
      const { recoveries } = hardState.record
      await hardState.write({ recoveries: recoveries + 1, isRecovering: true, flushedIndex: last })
    }
    return new LevelRaftStorage({ level, hardState, snapshots, found })
  }

  async persist({ hardState, reset, entries }: Persist): Promise<void> {
    const from = reset === undefined ? entries[0]?.index : this.#firstIndex
    await this.#persistHardState(hardState, from)
    const operations: Operation[] = []
    if (from !== undefined) operations.push(...this.#takeUnusable())
    if (from !== undefined)
      for (const key of this.#cutFrom(from)) operations.push({ type: 'del', key })
    if (reset !== undefined) this.#firstIndex = reset.index + 1n
    let hash = this.#hashes.at(-1) ?? 0
    for (const entry of entries) {
      const encoded = encodeEntry(entry, hash)
      hash = encoded.hash
      this.#hashes.push(hash)
      operations.push({ type: 'put', key: keyOf(entry.index), value: encoded.value })
    }
    if (operations.length > 0) await this.#level.batch(operations, { sync: true })
    const lastIndex = this.#lastIndex
    if (lastIndex - this.#hardState.record.flushedIndex >= flushedIndexStep) {
      await this.#hardState.write({ flushedIndex: lastIndex })
    }
  }

  async noteRecovered(): Promise<void> {
    await this.#hardState.write({ isRecovering: false })
  }

  async compact(index: bigint): Promise<void> {
    const count = Number(index - this.#firstIndex + 1n)
    if (count <= 0) return
    const keys = this.#hashes.slice(0, count).map((_, at) => keyOf(this.#firstIndex + BigInt(at)))
    this.#hashes = this.#hashes.slice(count)
    this.#firstIndex = index + 1n
    await this.#level.batch(keys.map((key) => ({ type: 'del', key })))
  }

  saveSnapshot(snapshot: Snapshot, data: Buffer): Promise<void> {
    return this.#snapshots.save(snapshot, data)
  }

  /** The state to start from. */
  loadSnapshot(index: bigint): Promise<Buffer | undefined> {
    return this.#snapshots.load(index)
  }

  readSnapshot(index: bigint, offset: number, bytesMax: number) {
    return this.#snapshots.read(index, offset, bytesMax)
  }

  receive(_: Snapshot, offset: number, data: Buffer): Promise<void> {
    return this.#snapshots.receive(offset, data)
  }

  finishReceived(snapshot: Snapshot): Promise<Buffer | undefined> {
    return this.#snapshots.finishReceived(snapshot)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#level.close()
    await this.#hardState[Symbol.asyncDispose]()
  }

  get #lastIndex(): bigint {
    return this.#firstIndex + BigInt(this.#hashes.length) - 1n
  }

  /** What is cut off from `from` on must not be missed by a later start. */
  async #persistHardState(
    hardState: Persist['hardState'],
    from: bigint | undefined,
  ): Promise<void> {
    const { flushedIndex } = this.#hardState.record
    const isCut = from !== undefined && from <= flushedIndex
    if (hardState === undefined && !isCut) return
    const keep = isCut ? from - 1n : this.#lastIndex
    await this.#hardState.write({ ...(hardState && { hardState }), flushedIndex: keep })
  }

  #takeUnusable(): Operation[] {
    return this.#unusable.splice(0).map((key) => ({ type: 'del', key }))
  }

  /** Keys of the stored entries from `from` on, which are forgotten here at once. */
  #cutFrom(from: bigint): Buffer[] {
    const keys: Buffer[] = []
    for (let index = from; index <= this.#lastIndex; index++) keys.push(keyOf(index))
    this.#hashes.length -= keys.length
    return keys
  }
}

function keyOf(index: bigint): Buffer {
  const key = Buffer.alloc(8)
  key.writeBigUInt64BE(index)
  return key
}

/** The entries that follow each other from the snapshot on, as far as they are undamaged. */
async function readEntries(level: BinaryLevel, snapshot: Snapshot | undefined): Promise<Found> {
  const stored: StoredEntry[] = []
  const unusable: Buffer[] = []
  let isDamaged = false
  for await (const [key, value] of level.iterator()) {
    const next = isDamaged ? undefined : decodeNext(key, value, stored.at(-1))
    if (next === undefined) {
      isDamaged = true
      unusable.push(key)
    } else stored.push(next)
  }
  const entries = stored.map(({ entry }) => entry)
  const firstIndex = entries[0]?.index ?? (snapshot?.index ?? 0n) + 1n
  if (firstIndex > (snapshot?.index ?? 0n) + 1n) {
    return { entries: [], unusable: [...keysOf(entries), ...unusable], isDamaged: true }
  }
  // A snapshot from a leader whose entries were to be replaced when the process died.
  const isReplaced = snapshot !== undefined && entriesAfter(snapshot, entries).length === 0
  if (isReplaced) return { entries: [], unusable: [...keysOf(entries), ...unusable], isDamaged }
  return { entries: stored, unusable, isDamaged }
}

function keysOf(entries: readonly Entry[]): Buffer[] {
  return entries.map(({ index }) => keyOf(index))
}

function decodeNext(
  key: Buffer,
  value: Buffer,
  previous: StoredEntry | undefined,
): StoredEntry | undefined {
  const index = key.readBigUInt64BE(0)
  if (previous !== undefined && index !== previous.entry.index + 1n) return undefined
  try {
    return decodeEntry(index, value, previous?.hash)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

function promisesLost(directory: string): MetadataStoreError {
  return new MetadataStoreError('METADATA_CORRUPT', {
    directory,
    message: `Cannot read ${directory}/hard-state: what this node has voted for is not known any more`,
    hint: 'Empty the directory: the node joins anew as an observer, and can be added as a voter again',
  })
}
