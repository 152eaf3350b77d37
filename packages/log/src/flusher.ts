/**
 * Brings segments to the disk behind the journal, steadily: a log is flushed when it has gathered a few megabytes, or when its
 * oldest unflushed round holds back the journal. Gigabytes of dirty pages would make a journal write wait for hundreds of
 * milliseconds, and would have to be written again by a start after a crash.
 */

import type { FlushMode, LogEnd } from './checkpoint.ts'
import type { RoundRun } from './group-commit.ts'
import type { Log } from './log.ts'
import type { LogStorage } from './log-storage.ts'
import { forEachParallel } from './parallel.ts'
import { dirname } from './paths.ts'
import type { Segment } from './segment.ts'

/** How much of one log may be unflushed. */
export type DirtyBytesMax = Readonly<Record<FlushMode, number>>

export const defaultDirtyBytesMax: DirtyBytesMax = {
  ack: 4 << 20,
  async: 256 << 10,
  // The kernel writes these back as it likes; the bound is what a start after a crash has to scan.
  never: 256 << 20,
}
const parallelFlushes = 2
/** Derived state is stored this often, so that a start replays little. */
const derivedBytes = 64 << 20

interface Dirt {
  bytes: number
  /** First round that holds something unflushed; undefined when none of it is in the journal. */
  firstLsn: bigint | undefined
  readonly segments: Set<Segment>
}

export interface Flushed extends LogEnd {
  /** Every journal entry of the log up to it is in flushed segments. */
  readonly coveredLsn: bigint
}

export class Flusher {
  readonly #storage: LogStorage
  readonly #completedLsn: () => bigint
  readonly #dirtyBytesMax: DirtyBytesMax
  readonly #onError: (error: unknown) => void
  /** Logs with unflushed data, the one that became dirty first in front. */
  readonly #dirty = new Map<Log, Dirt>()
  readonly #flushed = new Map<Log, Flushed>()
  readonly #flushing = new Map<Log, { done: Promise<void>; firstLsn: bigint | undefined }>()
  readonly #queue = new Set<Log>()
  /** Segments whose file is on the disk by name; others need a directory fsync. By segment: a path may come again. */
  readonly #named = new WeakSet<Segment>()
  readonly #sinceDerived = new Map<Log, number>()

  constructor(options: {
    storage: LogStorage
    completedLsn: () => bigint
    dirtyBytesMax: DirtyBytesMax
    onError: (error: unknown) => void
  }) {
    this.#storage = options.storage
    this.#completedLsn = options.completedLsn
    this.#dirtyBytesMax = options.dirtyBytesMax
    this.#onError = options.onError
  }

  /** Starts to follow a log whose segments are on the disk up to `end`. */
  add(log: Log, end: LogEnd): void {
    this.#flushed.set(log, { ...end, coveredLsn: this.#completedLsn() })
    for (const segment of log.segments) if (segment.sizeBytes > 0) this.#named.add(segment)
  }

  /** Runs the removal of a log in the place of a flush. Then the log is forgotten. */
  async remove(log: Log, removal: () => Promise<void>): Promise<void> {
    await this.inPlaceOfFlush(log, () => removal().finally(() => this.#forget(log)))
  }

  /** A log that was cut is durable as it is now: a checkpoint may claim that. */
  noteCut(log: Log): void {
    this.#flushed.set(log, { ...log.writtenEnd, coveredLsn: this.#completedLsn() })
    for (const segment of log.segments) if (segment.sizeBytes > 0) this.#named.add(segment)
  }

  /** From now on a checkpoint claims no more than `end`. Tells whether one may have claimed more. */
  lower(log: Log, end: LogEnd): boolean {
    const flushed = this.#flushed.get(log) as Flushed
    if (flushed.endOffset <= end.endOffset) return false
    this.#flushed.set(log, { ...end, coveredLsn: flushed.coveredLsn })
    return true
  }

  /**
   * Nothing of the log is flushed while `work` runs, and its rounds are needed until that is done. It is given the segments that hold
   * something unflushed, which nobody else flushes.
   */
  async inPlaceOfFlush(
    log: Log,
    work: (dirty: readonly Segment[]) => Promise<void>,
  ): Promise<void> {
    for (let under = this.#flushing.get(log); under; under = this.#flushing.get(log)) {
      await under.done
    }
    const dirt = this.#dirty.get(log)
    this.#dirty.delete(log)
    const { promise: done, resolve } = Promise.withResolvers<void>()
    this.#flushing.set(log, { done, firstLsn: dirt?.firstLsn })
    try {
      await work([...(dirt?.segments ?? [])])
    } catch (error) {
      // Before anybody could take the log for flushed.
      this.#onError(error)
      throw error
    } finally {
      this.#flushing.delete(log)
      resolve()
      this.#next()
    }
  }

  /** A round is complete. The whole of it is noted before a flush begins: a flush claims all that is complete. */
  noteWritten(runs: readonly RoundRun[], lsn: bigint | undefined): void {
    for (const { log, run } of runs) {
      let dirt = this.#dirty.get(log)
      if (dirt === undefined) {
        dirt = { bytes: 0, firstLsn: lsn, segments: new Set() }
        this.#dirty.set(log, dirt)
      }
      dirt.firstLsn ??= lsn
      dirt.bytes += run.lengthBytes
      dirt.segments.add(run.segment)
      if (dirt.bytes >= this.#dirtyBytesMax[log.flushMode]) this.#queue.add(log)
    }
    this.#next()
  }

  /** How much of the log a checkpoint may claim. Unless the log was cut, never less than the one before: segments below were removed since. */
  flushedOf(log: Log): Flushed {
    if (!this.#dirty.has(log) && !this.#flushing.has(log)) {
      // A log with nothing unflushed is covered by whatever has completed, although no flush says so.
      this.#flushed.set(log, { ...log.writtenEnd, coveredLsn: this.#completedLsn() })
    }
    return this.#flushed.get(log) as Flushed
  }

  /** The first round that a start would still need. */
  get firstNeededLsn(): bigint {
    let first = this.#completedLsn() + 1n
    for (const [, dirt] of this.#dirty) {
      if (dirt.firstLsn !== undefined && dirt.firstLsn < first) first = dirt.firstLsn
    }
    for (const { firstLsn } of this.#flushing.values()) {
      if (firstLsn !== undefined && firstLsn < first) first = firstLsn
    }
    return first
  }

  /** Flushes the logs that have waited longest, until no round up to `lsn` is needed any more. */
  async flushThrough(lsn: bigint): Promise<void> {
    const late = [...this.#dirty].filter(
      ([, dirt]) => dirt.firstLsn !== undefined && dirt.firstLsn <= lsn,
    )
    await forEachParallel(late, parallelFlushes, ([log]) => this.flush(log))
    for (const { done } of [...this.#flushing.values()]) await done
  }

  /** Flushes the dirty logs of a mode. */
  async flushMode(mode: FlushMode): Promise<void> {
    const dirty = [...this.#dirty.keys()].filter((log) => log.flushMode === mode)
    await forEachParallel(dirty, parallelFlushes, (log) => this.flush(log))
  }

  /** Makes everything that the log has written durable. */
  async flush(log: Log): Promise<void> {
    for (let under = this.#flushing.get(log); under; under = this.#flushing.get(log)) {
      await under.done
    }
    const dirt = this.#dirty.get(log)
    if (dirt === undefined) return
    this.#dirty.delete(log)
    const done = this.#flush(log, dirt)
      .catch((error: unknown) => this.#onError(error))
      .finally(() => {
        this.#flushing.delete(log)
        this.#next()
      })
    this.#flushing.set(log, { done, firstLsn: dirt.firstLsn })
    await done
  }

  /** Makes everything durable that has been written up to now. */
  async flushAll(): Promise<void> {
    await forEachParallel([...this.#dirty.keys()], parallelFlushes, (log) => this.flush(log))
    for (const { done } of [...this.#flushing.values()]) await done
  }

  #forget(log: Log): void {
    this.#flushing.delete(log)
    this.#flushed.delete(log)
    this.#queue.delete(log)
    this.#sinceDerived.delete(log)
    this.#next()
  }

  #next(): void {
    for (const log of this.#queue) {
      if (this.#flushing.size >= parallelFlushes) return
      if (this.#flushing.has(log)) continue
      this.#queue.delete(log)
      // Errors go to onError inside; the promise itself never rejects.
      void this.flush(log)
    }
  }

  async #flush(log: Log, dirt: Dirt): Promise<void> {
    const captured = { ...log.writtenEnd, coveredLsn: this.#completedLsn() }
    for (const segment of dirt.segments) await this.syncSegment(segment)
    if (!this.#flushed.has(log)) return
    this.#flushed.set(log, captured)
    this.#storeDerived(log, dirt.bytes)
  }

  /** Makes a segment durable, with its name. */
  async syncSegment(segment: Segment): Promise<void> {
    const lease = await this.#storage.openSegment(segment, { create: true })
    try {
      await lease.file.datasync()
    } finally {
      lease.release()
    }
    if (this.#named.has(segment)) return
    await this.#storage.fileSystem.syncDirectory(dirname(segment.path))
    this.#named.add(segment)
  }

  #storeDerived(log: Log, bytes: number): void {
    const since = (this.#sinceDerived.get(log) ?? 0) + bytes
    this.#sinceDerived.set(log, since >= derivedBytes ? 0 : since)
    if (since < derivedBytes || log.derived === undefined) return
    this.#storage.persistDerived(log, log.activeSegment, log.derived.capture())
  }
}
