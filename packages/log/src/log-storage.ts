/**
 * The disk side of logs: opens segment files through the shared pool, loads indexes, and stores what is derived from a log
 * (indexes, producer snapshots, leader epochs). A snapshot is written after the indexes it vouches for: whatever lies above the
 * last valid snapshot is derived anew from the segments.
 */
import type { FileSystem, Logger } from '@naru/base'
import { readFileIfPresent, replaceFile } from './atomic-file.ts'
import type { LogEnd } from './checkpoint.ts'
import {
  deletedSuffix,
  leaderEpochCheckpointName,
  offsetOfFileName,
  segmentFileName,
} from './file-names.ts'
import { scanHeaders } from './header-scan.ts'
import type { Log } from './log.ts'
import { OffsetIndex } from './offset-index.ts'
import type { Lease, OpenFiles } from './open-files.ts'
import { join } from './paths.ts'
import { Segment } from './segment.ts'
import { TimeIndex } from './time-index.ts'

/** Sealed segments of one log that keep their indexes in memory. */
const loadedSealedSegmentsMax = 4

export class LogStorage {
  readonly fileSystem: FileSystem
  readonly openFiles: OpenFiles
  readonly #logger: Logger
  readonly #onError: (error: unknown) => void
  /** What is being stored for each log, one thing at a time. */
  readonly #storing = new Map<Log, Promise<void>>()
  readonly #forgotten = new WeakSet<Log>()
  #isStopped = false

  constructor(options: {
    fileSystem: FileSystem
    openFiles: OpenFiles
    logger: Logger
    onError: (error: unknown) => void
  }) {
    this.fileSystem = options.fileSystem
    this.openFiles = options.openFiles
    this.#logger = options.logger
    this.#onError = options.onError
  }

  /** The open segment file; creates it for the first write. */
  async openSegment(segment: Segment, { create }: { create: boolean }): Promise<Lease> {
    return this.openFiles.lease(segment.path) ?? this.openFiles.open(segment.path, { create })
  }

  /** Stores the indexes of `segment` and the derived state as of now, in the background and in order. */
  persistDerived(
    log: Log,
    segment: Segment,
    captured: { producers: Buffer; epochs: Buffer },
  ): void {
    const { indexes } = segment
    // What is captured while the log is cut is of a log that was longer.
    if (indexes === undefined || this.#forgotten.has(log) || log.isTruncating) return
    const offset = log.logEndOffset
    log.derivedOffset = offset
    const files = contentOf(indexes)
    void this.#inTurn(log, () => this.#store(log, segment, { ...captured, ...files, offset }))
  }

  /** Stores the indexes of a sealed segment, before any later snapshot that vouches for them. */
  persistIndexes(log: Log, segment: Segment): void {
    const { indexes } = segment
    if (indexes === undefined || this.#forgotten.has(log)) return
    const files = contentOf(indexes)
    void this.#inTurn(log, () => this.#storeIndexes(log, segment, files))
  }

  /** Stores the leader epochs alone: those above the end of a log that was cut are of another history. */
  persistEpochs(log: Log, epochs: Buffer): void {
    const path = join(log.path, leaderEpochCheckpointName)
    void this.#inTurn(log, () => replaceFile(this.fileSystem, path, epochs))
  }

  /**
   * Removes the segments above the one that holds the new end, what belongs to them, and snapshots above that end. Nothing of the log
   * is being stored, and the caller makes it durable before the log grows again.
   */
  async removeAbove(log: Log, end: LogEnd): Promise<void> {
    const isAbove = (name: string) => {
      const snapshot = offsetOfFileName(name, '.snapshot')
      if (snapshot !== undefined) return snapshot > end.endOffset
      return (baseOffsetOf(name) ?? -1n) > end.segmentBaseOffset
    }
    await this.#remove(log, (await this.fileSystem.list(log.path)).filter(isAbove))
  }

  /** Removes every segment and all that is derived from the log, durably. */
  async removeAll(log: Log): Promise<void> {
    const isOfContent = (name: string) =>
      baseOffsetOf(name) !== undefined ||
      offsetOfFileName(name, '.snapshot') !== undefined ||
      name === leaderEpochCheckpointName
    await this.#remove(log, (await this.fileSystem.list(log.path)).filter(isOfContent))
    await this.fileSystem.syncDirectory(log.path)
  }

  /** Cuts the file of a segment at its size in memory, durably. There is none when nothing was written to it. */
  async cutSegment(segment: Segment): Promise<void> {
    if ((await this.fileSystem.stat(segment.path)) === undefined) return
    const lease = await this.openSegment(segment, { create: false })
    try {
      await lease.file.truncate(segment.sizeBytes)
      await lease.file.datasync()
    } finally {
      lease.release()
    }
  }

  async #remove(log: Log, names: readonly string[]): Promise<void> {
    for (const name of names) {
      const path = join(log.path, name)
      await this.fileSystem.remove(path)
      // The next file of that name is another one.
      if (name.endsWith('.log')) await this.openFiles.forget(path)
    }
  }

  /** Gives the files of a segment other names, when nothing of the log is being stored. Gives the new names. */
  async retire(log: Log, segment: Segment): Promise<string[]> {
    const retired: string[] = []
    await this.#inTurn(log, async () => {
      for (const suffix of ['.log', '.index', '.timeindex', '.snapshot'] as const) {
        const path = join(log.path, segmentFileName(segment.baseOffset, suffix))
        if ((await this.fileSystem.stat(path)) === undefined) continue
        await this.fileSystem.rename(path, path + deletedSuffix)
        retired.push(path + deletedSuffix)
      }
    })
    return retired
  }

  /** Resolves when all that was handed to `persistDerived` for the log is stored. */
  async settled(log: Log): Promise<void> {
    await this.#storing.get(log)
  }

  /** The log is going to be deleted: resolves when nothing of it is being stored, nor ever will be. */
  async forget(log: Log): Promise<void> {
    this.#forgotten.add(log)
    await this.#storing.get(log)
  }

  /** Nothing more is stored: what comes after an error may rest on what the error left out. */
  stop(): void {
    this.#isStopped = true
  }

  isForgotten(log: Log): boolean {
    return this.#forgotten.has(log)
  }

  /** Runs `work` after everything else that was to be done for the log. Errors go to the owner. */
  #inTurn(log: Log, work: () => Promise<void>): Promise<void> {
    const before = this.#storing.get(log) ?? Promise.resolve()
    const storing = before
      .then(() => (this.#isStopped ? undefined : work()))
      .catch((error: unknown) => this.#onError(error))
      .finally(() => {
        if (this.#storing.get(log) === storing) this.#storing.delete(log)
      })
    this.#storing.set(log, storing)
    return storing
  }

  async #store(
    log: Log,
    segment: Segment,
    state: { producers: Buffer; epochs: Buffer; index: Buffer; timeIndex: Buffer; offset: bigint },
  ): Promise<void> {
    await this.#storeIndexes(log, segment, state)
    await replaceFile(this.fileSystem, join(log.path, leaderEpochCheckpointName), state.epochs)
    const snapshot = join(log.path, segmentFileName(state.offset, '.snapshot'))
    await replaceFile(this.fileSystem, snapshot, state.producers)
    await this.#removeOldSnapshots(log, state.offset)
  }

  async #storeIndexes(
    log: Log,
    segment: Segment,
    { index, timeIndex }: { index: Buffer; timeIndex: Buffer },
  ): Promise<void> {
    const path = (suffix: '.index' | '.timeindex') =>
      join(log.path, segmentFileName(segment.baseOffset, suffix))
    await replaceFile(this.fileSystem, path('.index'), index)
    await replaceFile(this.fileSystem, path('.timeindex'), timeIndex)
  }

  /** Keeps the newest snapshot and those at the start of a segment, which a truncation goes back to. */
  async #removeOldSnapshots(log: Log, newest: bigint): Promise<void> {
    const bases = new Set(log.segments.map((segment) => segment.baseOffset))
    for (const name of await this.fileSystem.list(log.path)) {
      const offset = offsetOfFileName(name, '.snapshot')
      if (offset === undefined || offset >= newest || bases.has(offset)) continue
      await this.fileSystem.remove(join(log.path, name))
    }
  }

  /** The indexes of a segment, from memory, from its files, or derived anew from the segment when there are none. */
  async indexesOf(log: Log, segment: Segment): Promise<NonNullable<Segment['indexes']>> {
    if (segment.indexes !== undefined) return segment.indexes
    const path = (suffix: '.index' | '.timeindex') =>
      join(log.path, segmentFileName(segment.baseOffset, suffix))
    const offset = await readFileIfPresent(this.fileSystem, path('.index'))
    const time = await readFileIfPresent(this.fileSystem, path('.timeindex'))
    const indexes =
      offset !== undefined && time !== undefined
        ? { offset: new OffsetIndex(offset), time: new TimeIndex(time) }
        : await this.#derivedIndexes(log, segment)
    segment.indexes = indexes
    noteNewest(segment)
    unloadOthers(log, segment)
    return indexes
  }

  /** Beside the segment: others read it meanwhile. */
  async #derivedIndexes(log: Log, segment: Segment): Promise<NonNullable<Segment['indexes']>> {
    this.#logger.info('index-rebuilt', { log: log.name, segment: segment.path })
    const { baseOffset } = segment
    const indexes = { offset: new OffsetIndex(), time: new TimeIndex() }
    const scanned = new Segment({ directory: log.path, baseOffset, sizeBytes: 0, isNew: false })
    scanned.indexes = indexes
    const lease = await this.openSegment(segment, { create: false })
    try {
      await scanHeaders(lease.file, { from: 0, to: log.readableBytes(segment) }, (header) => {
        const isOfSegment =
          header.baseOffset >= baseOffset && scanned.canHold(header.lastOffset, header.sizeBytes)
        if (!isOfSegment) return false
        scanned.append(header, log.config.indexIntervalBytes)
        return true
      })
    } finally {
      lease.release()
    }
    scanned.seal()
    return indexes
  }
}

/** Of a segment or one of its indexes. */
function baseOffsetOf(name: string): bigint | undefined {
  return (
    offsetOfFileName(name, '.log') ??
    offsetOfFileName(name, '.index') ??
    offsetOfFileName(name, '.timeindex')
  )
}

function contentOf(indexes: NonNullable<Segment['indexes']>): { index: Buffer; timeIndex: Buffer } {
  return {
    index: Buffer.from(indexes.offset.bytes),
    timeIndex: Buffer.from(indexes.time.bytes),
  }
}

/** The time index's last entry tells a sealed segment's largest timestamp. */
function noteNewest(segment: Segment): void {
  const last = segment.indexes?.time.last
  if (last === undefined || last.timestamp <= segment.maxTimestamp) return
  segment.maxTimestamp = last.timestamp
  segment.maxTimestampOffset = segment.baseOffset + BigInt(last.relativeOffset)
}

function unloadOthers(log: Log, keep: Segment): void {
  const loaded = log.segments.filter(
    (segment) => segment.indexes !== undefined && segment !== keep && segment !== log.activeSegment,
  )
  for (const segment of loaded.slice(0, Math.max(0, loaded.length - loadedSealedSegmentsMax))) {
    segment.indexes = undefined
  }
}
