/**
 * One log directory (an entry of `log.dirs`): its logs, its journal, its checkpoint. The first error of a write or fsync takes
 * the whole directory offline: never retried, never continued, because the kernel may have dropped what it could not write.
 */
import { assert, type Timer } from '@naru/base'
import { type Aside, asidePath, removeOldestDamaged } from './aside.ts'
import { replaceFile } from './atomic-file.ts'
import {
  checkpointName,
  encodeCheckpoint,
  type FlushMode,
  type LogCheckpoint,
} from './checkpoint.ts'
import { DelayedRemovals } from './delayed-removals.ts'
import { directoryOffline, LogDirectoryError, logDeleted } from './errors.ts'
import { identityName } from './file-names.ts'
import { defaultDirtyBytesMax, Flusher } from './flusher.ts'
import { GroupCommit, type RoundRun } from './group-commit.ts'
import { Journal } from './journal.ts'
import { JournalFiles } from './journal-files.ts'
import { type DerivedState, Log, type LogConfig } from './log.ts'
import { makeLogDirectory } from './log-creation.ts'
import type { LogDirectoryOptions } from './log-directory-options.ts'
import { loadLog } from './log-loader.ts'
import { LogStorage } from './log-storage.ts'
import { holdsSegments } from './partition-directories.ts'
import { join } from './paths.ts'
import { type RecoveredDirectory, recoverDirectory } from './recovery.ts'
import type { Segment } from './segment.ts'
import { Truncation } from './truncation.ts'

/** Journal bytes between two checkpoints: what a start after a crash may have to replay. */
const checkpointBytes = 16 << 20
/** A directory that was quiet this long is flushed and checkpointed. */
const quietMs = 1_000
/** How long data of `naru.flush=async` may stay in the page cache only. */
const asyncFlushMs = 100

interface LogState {
  readonly topicId: string
  loading?: Promise<void>
  /** Settled when no change of the log is under way. */
  changing: Promise<void>
}

export class LogDirectory implements AsyncDisposable {
  readonly path: string
  /** How the start found the directory. */
  readonly start: Pick<RecoveredDirectory, 'kind' | 'lacksLogs'>
  readonly #options: LogDirectoryOptions
  readonly #journal: Journal
  readonly #storage: LogStorage
  readonly #rounds: GroupCommit
  readonly #flusher: Flusher
  readonly #truncation: Truncation
  readonly #logs = new Map<string, Log>()
  readonly #states = new Map<Log, LogState>()
  #offline: LogDirectoryError | undefined
  #checkpointing: Promise<void> | undefined
  #checkpointWanted = false
  #advancing: Promise<void> | undefined
  /** Where the journal's `writtenBytes` makes the next checkpoint due. */
  #checkpointDueBytes = checkpointBytes
  #quiet: Timer | undefined
  #asyncFlush: Timer | undefined
  readonly #removals: DelayedRemovals
  #isClosing = false
  #isMakingRoom = false

  private constructor(
    options: LogDirectoryOptions,
    journal: Journal,
    recovered: RecoveredDirectory,
  ) {
    this.path = options.path
    this.start = recovered
    this.#options = options
    this.#journal = journal
    const onError = (error: unknown) => this.#goOffline(error)
    const forget = () => this.checkpoint()
    const { fileSystem, openFiles, logger, clock } = options
    this.#removals = new DelayedRemovals({ fileSystem, clock, forget, onError })
    this.#storage = new LogStorage({ fileSystem, openFiles, logger, onError })
    this.#rounds = new GroupCommit({
      clock,
      journal,
      storage: this.#storage,
      onWritten: (runs, lsn) => this.#noteWritten(runs, lsn),
      onFull: () => void this.#makeRoom(),
      onError,
    })
    this.#flusher = new Flusher({
      storage: this.#storage,
      completedLsn: () => this.#rounds.completedLsn,
      dirtyBytesMax: options.dirtyBytesMax ?? defaultDirtyBytesMax,
      onError,
    })
    this.#truncation = new Truncation({
      storage: this.#storage,
      rounds: this.#rounds,
      flusher: this.#flusher,
      checkpoint: () => this.checkpoint(),
    })
    for (const found of recovered.logs) {
      this.#add(
        new Log({
          ...found,
          logId: Buffer.from(found.identity.logId, 'hex'),
          config: options.configOf(found.name),
          storage: this.#storage,
          onPending: (log) => this.#onPending(log),
        }),
        found.identity.topicId,
      )
    }
  }

  /** Recovers the directory and opens it for appends. */
  static async open(options: LogDirectoryOptions): Promise<LogDirectory> {
    const { fileSystem, path, random, logger } = options
    const journalPath = join(path, '.journal')
    await fileSystem.makeDirectory(journalPath)
    // The checkpoint was synced before it got its name, but perhaps not the name: the start changes files because of what it says.
    await fileSystem.syncDirectory(path)
    const runId = random.bytes(16)
    const recovered = await recoverDirectory({ fileSystem, path, journalPath, runId, logger })
    const { fileCount, fileBytes, fileBytesMax, fileCountMax } = options.journal
    const files = new JournalFiles(fileSystem, journalPath)
    await files.prepare({ count: fileCount, sizeBytes: fileBytes })
    const journal = new Journal({ files, runId, fileBytesMax, fileCountMax })
    const damaged = recovered.logs.filter((log) => log.isDamaged).map((log) => log.name)
    if (damaged.length > 0) logger.error('logs-damaged', { directory: path, logs: damaged })
    return new LogDirectory(options, journal, recovered)
  }

  /** By directory name, `orders-3`. */
  get logs(): ReadonlyMap<string, Log> {
    return this.#logs
  }

  /** Why the directory is offline, or undefined while it works. */
  get offline(): LogDirectoryError | undefined {
    return this.#offline
  }

  /** The topic id that was given when the log was made. */
  topicIdOf(log: Log): string {
    return (this.#states.get(log) as LogState).topicId
  }

  /** Makes an empty log, durable before it resolves. */
  async createLog(request: {
    name: string
    topicId: string
    firstOffset: bigint
    flushMode: FlushMode
    config: LogConfig
  }): Promise<Log> {
    this.#assertOnline()
    const { name, topicId, firstOffset, flushMode, config } = request
    if (this.#logs.has(name)) {
      throw new LogDirectoryError('LOG_EXISTS', this.path, `Cannot create ${name}: it exists`)
    }
    await this.#assertFree(name)
    const logId = this.#options.random.bytes(16)
    const path = await this.#guard(
      makeLogDirectory(this.#options.fileSystem, this.path, {
        name,
        identity: { topicId, logId: logId.toString('hex'), firstOffset, flushMode },
      }),
    )
    const log = new Log({
      name,
      path,
      logId,
      flushMode,
      config,
      logStartOffset: firstOffset,
      end: { endOffset: firstOffset, segmentBaseOffset: firstOffset, position: 0 },
      segments: [],
      isDamaged: false,
      storage: this.#storage,
      onPending: (pending) => this.#onPending(pending),
    })
    this.#add(log, topicId)
    return log
  }

  /** Brings a log's derived state to its end, so that it can be appended to and read. Once per log; later calls wait for the first, and fail as it did; behind a deletion it fails. */
  async load(log: Log, derived: DerivedState): Promise<void> {
    this.#assertOnline()
    const state = this.#states.get(log)
    if (state !== undefined) {
      state.loading ??= this.#change(log, () => loadLog(log, derived))
      await state.loading
    }
    if (!this.#states.has(log)) throw logDeleted(this.path, log.name)
  }

  /** Removes a log: its name goes at once and durably, its files after `file.delete.delay.ms`, or stay as `suffix` says. */
  deleteLog(log: Log, { suffix = 'delete' }: { suffix?: Aside } = {}): Promise<void> {
    return this.#change(log, async () => {
      log.isHeld = true
      await this.#rounds.settled(log)
      const unique = this.#options.random.bytes(16).toString('hex')
      const { fileSystem, openFiles, clock } = this.#options
      const aside = asidePath(log.path, { suffix, nowMs: clock.now(), unique })
      await this.#flusher.remove(log, async () => {
        await this.#storage.forget(log)
        await this.#guard(fileSystem.rename(log.path, aside))
        await openFiles.forget(`${log.path}/`)
        await this.#guard(fileSystem.syncDirectory(this.path))
        this.#logs.delete(log.name)
        this.#states.delete(log)
      })
      if (suffix === 'damaged') await this.#guard(removeOldestDamaged(fileSystem, this.path))
      if (suffix === 'delete') this.#removals.add(log.config.fileDeleteDelayMs, aside)
    })
  }

  /** Changes what an acknowledgement waits for. Nothing is acknowledged in between that would be less safe than it was told. */
  setFlushMode(log: Log, mode: FlushMode): Promise<void> {
    return this.#change(log, async () => {
      if (log.flushMode === mode) return
      log.isHeld = true
      try {
        await this.#rounds.settled(log)
        await this.#flusher.flush(log)
        log.flushMode = mode
        await this.checkpoint()
      } finally {
        this.#rounds.release(log)
      }
    })
  }

  /** Moves the start of a log up for good and removes the segments below it. */
  moveStart(log: Log, offset: bigint): Promise<void> {
    assert(offset <= log.logEndOffset, `Log start ${offset} is beyond the end of ${log.name}`)
    return this.#change(log, async () => {
      // A change that came before has cut what was to go, or has let it go.
      if (offset > log.logEndOffset || offset <= log.logStartOffset) return
      log.moveStart(offset)
      await this.#flusher.flush(log)
      // The checkpoint names this segment or a later one, also when appends went on meanwhile.
      const { segmentBaseOffset } = this.#flusher.flushedOf(log)
      await this.checkpoint()
      for (const segment of log.dropSegmentsBelowStart(segmentBaseOffset)) {
        await this.#retire(log, segment)
      }
    })
  }

  /**
   * Cuts the log at the last batch boundary at or below `endOffset`; gives that boundary once the cut is durable. Nothing may be
   * appended meanwhile, and readers find nothing. A log of which nothing would remain that may be read begins anew there.
   */
  async truncate(log: Log, endOffset: bigint): Promise<bigint> {
    await this.#cutting(log, endOffset, async () => {
      const boundary = await this.#truncation.truncate(log, endOffset)
      if (boundary !== undefined) await this.#beginAnew(log, boundary)
    })
    return log.logEndOffset
  }

  /** Empties the log: it begins at `startOffset` now, and ends there. As `truncate`, it goes with no append. */
  async restartAt(log: Log, startOffset: bigint): Promise<void> {
    const state = this.#states.get(log)
    const loading = state?.loading
    await this.#cutting(log, 0n, async () => {
      await loading?.catch(() => {})
      await this.#beginAnew(log, startOffset)
      // What could not be loaded stands in the way no more.
      if (!log.isLoaded && state?.loading === loading) delete state?.loading
    })
  }

  /** Makes a checkpoint durable that includes everything up to this call. */
  async checkpoint(): Promise<void> {
    await this.#checkpointing
    this.#assertOnline()
    this.#checkpointWanted = true
    this.#checkpointing ??= this.#writeCheckpoint({ isClean: false })
    await this.#checkpointing
    this.#assertOnline()
  }

  /** Writes what waits, flushes everything and leaves a checkpoint from which the next start has nothing to replay. */
  async close(): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    this.#quiet?.cancel()
    this.#asyncFlush?.cancel()
    this.#removals.cancel()
    if (this.#offline === undefined) await this.#closeCleanly()
    this.#rounds.stop()
    await this.#options.openFiles.forget(`${this.path}/`)
    await this.#journal.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #closeCleanly(): Promise<void> {
    for (const { changing } of this.#states.values()) await changing
    for (const log of this.#logs.values()) await this.#rounds.settled(log)
    await this.#advancing
    // From here on nothing is acknowledged: the next start trusts a clean checkpoint and replays nothing.
    this.#rounds.stop()
    await this.#flusher.flushAll()
    let isClean = !this.#rounds.isInFlight
    for (const log of this.#logs.values()) {
      const { derived } = log
      const isWhole = log.confirmedOffset === log.logEndOffset && !log.isTruncating
      isClean &&= isWhole
      if (derived !== undefined && isWhole && log.derivedOffset !== log.logEndOffset) {
        this.#storage.persistDerived(log, log.activeSegment, derived.capture())
        await this.#storage.settled(log)
      }
    }
    while (this.#checkpointing !== undefined) await this.#checkpointing
    if (this.#offline !== undefined) return
    this.#checkpointing = this.#writeCheckpoint({ isClean })
    await this.#checkpointing
  }

  /**
   * One change of a log after the other: each relies on files and checkpoint staying as it left them. Changes that wait behind
   * a deletion come too late to matter.
   */
  async #change(log: Log, change: () => Promise<void>): Promise<void> {
    this.#assertOnline()
    const state = this.#states.get(log)
    if (state === undefined) return
    const changed = state.changing.then(async () => {
      this.#assertOnline()
      if (this.#states.has(log)) await change()
    })
    state.changing = changed.catch(() => {})
    await changed
  }

  /** A change that goes with no append, nor with one at or above `endOffset` that waits: from now on, though others may come before it. */
  async #cutting(log: Log, endOffset: bigint, cut: () => Promise<void>): Promise<void> {
    log.beginTruncation()
    log.dropPending(endOffset)
    try {
      await this.#change(log, cut)
    } catch (error) {
      throw this.#offline ?? error
    } finally {
      // A log that was cut half in memory and half on the disk takes nothing any more.
      if (this.#offline === undefined) log.endTruncation()
    }
  }

  #beginAnew(log: Log, offset: bigint): Promise<void> {
    const logId = this.#options.random.bytes(16)
    return this.#truncation.beginAnew(log, { offset, logId, topicId: this.topicIdOf(log) })
  }

  #add(log: Log, topicId: string): void {
    this.#logs.set(log.name, log)
    this.#states.set(log, { topicId, changing: Promise.resolve() })
    this.#flusher.add(log, log.writtenEnd)
  }

  #onPending(log: Log): void {
    if (this.#offline === undefined) this.#rounds.add(log)
  }

  #noteWritten(runs: readonly RoundRun[], lsn: bigint | undefined): void {
    this.#flusher.noteWritten(runs, lsn)
    if (runs.some(({ log }) => log.flushMode === 'async')) this.#armAsyncFlush()
    if (this.#journal.writtenBytes >= this.#checkpointDueBytes) void this.#advance()
    else this.#armQuiet()
  }

  /** Flushes what holds back the journal and frees it with a checkpoint. Errors have taken the directory offline already. */
  #advance(): Promise<void> {
    this.#advancing ??= this.#flushAndCheckpoint().finally(() => {
      this.#advancing = undefined
    })
    return this.#advancing
  }

  /** Produce waits for this: the journal is freed of all that is complete. Rounds that complete later ask again. */
  async #makeRoom(): Promise<void> {
    if (this.#isMakingRoom) return
    this.#isMakingRoom = true
    let covered: bigint
    do {
      await this.#advancing
      covered = this.#rounds.completedLsn
      await this.#advance()
    } while (this.#rounds.isBlocked && this.#rounds.completedLsn > covered)
    this.#isMakingRoom = false
  }

  async #flushAndCheckpoint(): Promise<void> {
    this.#checkpointDueBytes = this.#journal.writtenBytes + checkpointBytes
    try {
      await this.#flusher.flushThrough(this.#rounds.completedLsn)
      await this.checkpoint()
    } catch (error) {
      this.#goOffline(error)
    }
  }

  #armQuiet(): void {
    if (this.#quiet !== undefined || this.#isClosing) return
    const lsn = this.#journal.nextLsn
    this.#quiet = this.#options.clock.setTimer(quietMs, () => {
      this.#quiet = undefined
      if (this.#offline !== undefined) return
      // Two more: the last data round and its witness may have come since.
      if (this.#journal.nextLsn > lsn + 2n) this.#armQuiet()
      else void this.#advance()
    })
  }

  #armAsyncFlush(): void {
    if (this.#asyncFlush !== undefined || this.#isClosing) return
    this.#asyncFlush = this.#options.clock.setTimer(asyncFlushMs, () => {
      this.#asyncFlush = undefined
      this.#flusher.flushMode('async').catch((error: unknown) => this.#goOffline(error))
    })
  }

  async #writeCheckpoint({ isClean }: { isClean: boolean }): Promise<void> {
    try {
      do {
        this.#checkpointWanted = false
        const first = this.#journal.placeOf(this.#flusher.firstNeededLsn)
        const content = encodeCheckpoint({
          runId: this.#journal.runId,
          first,
          durableLsn: this.#journal.durableLsn,
          isClean,
          logs: this.#logsOfCheckpoint(),
        })
        await replaceFile(this.#options.fileSystem, join(this.path, checkpointName), content)
        this.#journal.release(first)
      } while (this.#checkpointWanted && this.#offline === undefined)
    } catch (error) {
      this.#goOffline(error)
    } finally {
      this.#checkpointing = undefined
    }
  }

  #logsOfCheckpoint(): LogCheckpoint[] {
    const logs = [...this.#logs.values()].map((log) => ({
      logId: log.logId,
      ...this.#flusher.flushedOf(log),
      logStartOffset: log.logStartOffset,
      flushMode: log.flushMode,
      isDamaged: log.isDamaged,
    }))
    return [...logs, ...this.#truncation.successors]
  }

  /** Gives a segment's files another name at once, and removes them later: a reader may be in the middle of one. */
  async #retire(log: Log, segment: Segment): Promise<void> {
    const retired = await this.#storage.retire(log, segment)
    await this.#options.openFiles.forget(segment.path)
    for (const path of retired) this.#removals.add(log.config.fileDeleteDelayMs, path)
  }

  async #guard<T>(operation: Promise<T>): Promise<T> {
    try {
      return await operation
    } catch (error) {
      this.#goOffline(error)
      throw this.#offline ?? error
    }
  }

  /** An empty log in the place of one whose identity was lost would look as if nothing had ever been acknowledged. */
  async #assertFree(name: string): Promise<void> {
    const path = join(this.path, name)
    if (!(await holdsSegments(this.#options.fileSystem, path))) return
    const message = `Cannot create ${name}: ${path} holds segments, but no valid ${identityName}. Restore that file, or move the directory away to begin anew.`
    throw new LogDirectoryError('LOG_UNIDENTIFIED', this.path, message)
  }

  #assertOnline(): void {
    if (this.#offline !== undefined) throw this.#offline
  }

  #goOffline(cause: unknown): void {
    if (this.#offline !== undefined) return
    this.#offline = directoryOffline(this.path, cause)
    this.#rounds.stop()
    this.#storage.stop()
    this.#options.onOffline(this.#offline)
  }
}
