/**
 * Cuts the end of a log, or begins it anew, as a follower has to whose log is not its leader's (KIP-101). Interrupted at any
 * step, a start finds the old log, a shorter part of it, or what was to come; never a batch that was cut behind one that was
 * appended later. The rules are in docs/JOURNAL.md.
 */
import { assert } from '@naru/base'
import type { LogCheckpoint, LogEnd } from './checkpoint.ts'
import { LogDirectoryError } from './errors.ts'
import type { Flusher } from './flusher.ts'
import type { GroupCommit } from './group-commit.ts'
import type { Log } from './log.ts'
import { replaceIdentity } from './log-creation.ts'
import { reloadLog } from './log-loader.ts'
import { batchBoundary } from './log-reader.ts'
import type { LogStorage } from './log-storage.ts'
import { dirname } from './paths.ts'
import type { Segment } from './segment.ts'

export interface TruncationOptions {
  readonly storage: LogStorage
  readonly rounds: GroupCommit
  readonly flusher: Flusher
  /** Makes a checkpoint durable that includes everything up to the call. */
  readonly checkpoint: () => Promise<void>
}

export class Truncation {
  readonly #options: TruncationOptions
  /** Logs that are just being begun anew, as a start will find them once their identity is replaced. */
  readonly #successors = new Set<LogCheckpoint>()

  constructor(options: TruncationOptions) {
    this.#options = options
  }

  /** What a checkpoint says beside what it says of the logs that there are. */
  get successors(): Iterable<LogCheckpoint> {
    return this.#successors
  }

  /**
   * Cuts the log at the last batch boundary at or below `endOffset`, durably. Where nothing would remain that may be read it gives
   * that boundary, and has cut nothing.
   */
  async truncate(log: Log, endOffset: bigint): Promise<bigint | undefined> {
    assert(log.derived !== undefined, `Log ${log.name} is not loaded`)
    await this.#settle(log)
    if (endOffset < log.logStartOffset) return endOffset
    const end = await batchBoundary(log, endOffset)
    if (end.endOffset < log.logStartOffset) return end.endOffset
    // Also when nothing lies above it: a leader's epoch begins at the end of its log, and may have been cut elsewhere.
    if (end.endOffset === log.logEndOffset) {
      log.derived.truncateEnd(end.endOffset)
      return undefined
    }
    await this.#cut(log, end)
    await reloadLog(log)
    return undefined
  }

  /**
   * Empties the log and lets it begin at `offset`, as another incarnation: the one rename of its identity file takes the place of
   * all that would have to change together, and what the journal says of the old log counts no more from that moment on.
   */
  async beginAnew(
    log: Log,
    { offset, logId, topicId }: { offset: bigint; logId: Buffer; topicId: string },
  ): Promise<void> {
    const { storage, flusher, checkpoint } = this.#options
    const first = (log.segments[0] as Segment).baseOffset
    await this.#settle(log)
    const { flushMode, isDamaged } = log
    // Emptied, it would give offsets once more that its records have had: a start that finds it so must not let it take part as it is.
    if (log.logStartOffset > first) {
      log.isDamaged = true
      await checkpoint()
    }
    if (log.logEndOffset > first) {
      await this.#cut(log, { endOffset: first, segmentBaseOffset: first, position: 0 })
    }
    const end = { endOffset: offset, segmentBaseOffset: offset, position: 0 }
    const successor = {
      logId,
      ...end,
      coveredLsn: 0n,
      logStartOffset: offset,
      flushMode,
      isDamaged,
    }
    const identity = { topicId, logId: logId.toString('hex'), firstOffset: offset, flushMode }
    await flusher.inPlaceOfFlush(log, async () => {
      await storage.removeAll(log)
      this.#successors.add(successor)
      // That the log is damaged, and its flush mode, are to outlive the change of its identity.
      await checkpoint()
      await replaceIdentity(storage.fileSystem, log.path, identity)
      log.beginAnew(logId, offset)
      log.isDamaged = isDamaged
      flusher.noteCut(log)
      this.#successors.delete(successor)
    })
  }

  /** Resolves when the log is at rest: what waited for a round is written, and nothing is being stored. */
  async #settle(log: Log): Promise<void> {
    const { rounds, storage } = this.#options
    await rounds.settled(log)
    this.#assertRunning(log)
    await storage.settled(log)
  }

  async #cut(log: Log, end: LogEnd): Promise<void> {
    const { rounds, flusher, checkpoint } = this.#options
    if (log.flushMode === 'ack') {
      log.planTruncation(end)
      await rounds.settled(log)
      this.#assertRunning(log)
      await flusher.inPlaceOfFlush(log, (dirty) => this.#cutFiles(log, end, dirty))
      return
    }
    await flusher.inPlaceOfFlush(log, async (dirty) => {
      log.cut(end)
      if (flusher.lower(log, end)) await checkpoint()
      await this.#cutFiles(log, end, dirty)
    })
  }

  async #cutFiles(log: Log, end: LogEnd, dirty: readonly Segment[]): Promise<void> {
    const { storage, flusher } = this.#options
    await storage.removeAbove(log, end)
    await storage.cutSegment(log.activeSegment)
    for (const segment of dirty) {
      if (segment.baseOffset < end.segmentBaseOffset) await flusher.syncSegment(segment)
    }
    await storage.fileSystem.syncDirectory(log.path)
    flusher.noteCut(log)
  }

  /** When rounds were stopped, what settles is not written. */
  #assertRunning(log: Log): void {
    if (!this.#options.rounds.isStopped) return
    const directory = dirname(log.path)
    const message = `Cannot truncate ${log.name}: log directory ${directory} is closed`
    throw new LogDirectoryError('LOG_DIRECTORY_OFFLINE', directory, message)
  }
}
