/**
 * Rounds: what all logs of a directory appended in one turn of the event loop is written together, to the segments through the
 * page cache and to the journal in one durable write. A round is complete when both are, and rounds complete in order. When
 * nothing arrives for a moment, one empty round follows, so that the last data round has a witness.
 */
import type { Clock, Timer } from '@naru/base'
import { type Journal, roundsInFlightLimit } from './journal.ts'
import { roundEntriesLimit } from './journal-round.ts'
import type { Log, LogRun } from './log.ts'
import type { LogStorage } from './log-storage.ts'

/** Runs up to this size are written on the calling thread: a hop to the thread pool costs more than the copy. */
const syncWriteBytesMax = 131_072
const roundBytesMax = 8 << 20
const idleMs = 10

/** What a round takes of one log for one segment. */
export interface RoundRun {
  readonly log: Log
  readonly run: LogRun
}

interface Round {
  readonly runs: readonly RoundRun[]
  readonly lsn: bigint | undefined
  isWritten: boolean
}

export interface GroupCommitOptions {
  readonly clock: Clock
  readonly journal: Journal
  readonly storage: LogStorage
  /** A round is complete: its segments are written and its journal entry is durable. */
  readonly onWritten: (runs: readonly RoundRun[], lsn: bigint | undefined) => void
  /** No journal file is free, and a round waits for one, be it an empty one. Said again each time it is tried in vain. */
  readonly onFull: () => void
  readonly onError: (error: unknown) => void
}

export class GroupCommit {
  readonly #options: GroupCommitOptions
  /** Logs with appends that wait, in the order in which they began to wait. */
  readonly #waiting = new Set<Log>()
  /** Rounds in flight, in order. */
  readonly #rounds: Round[] = []
  #prepared: RoundRun[] | undefined
  #isScheduled = false
  #isStopped = false
  #idle: Timer | undefined
  #lastDataLsn = 0n
  #completedLsn = 0n
  readonly #whenEmpty: (() => void)[] = []

  constructor(options: GroupCommitOptions) {
    this.#options = options
    options.journal.onRoom = () => this.#schedule()
  }

  /** All rounds up to it are complete: in the journal durably, in the segments through the page cache. */
  get completedLsn(): bigint {
    return this.#completedLsn
  }

  /** A round waits for room in the journal. */
  get isBlocked(): boolean {
    return !this.#isStopped && this.#prepared !== undefined
  }

  /** No further round starts. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** A round is being written, or was when rounds were stopped. */
  get isInFlight(): boolean {
    return this.#rounds.length > 0
  }

  /** The log has appends that wait. */
  add(log: Log): void {
    this.#waiting.add(log)
    this.#schedule()
  }

  /** Resolves when nothing of `log` waits or is in flight. */
  async settled(log: Log): Promise<void> {
    while (!this.#isStopped && this.#isBusyWith(log)) {
      await new Promise<void>((resolve) => this.#whenEmpty.push(resolve))
    }
  }

  /** Starts rounds again for a log that was held. */
  release(log: Log): void {
    log.isHeld = false
    if (log.isPending) this.add(log)
  }

  /** No further round starts; those in flight never confirm. */
  stop(): void {
    this.#isStopped = true
    this.#idle?.cancel()
    this.#wakeSettled()
  }

  #isBusyWith(log: Log): boolean {
    return (
      (!log.isHeld && log.isPending) ||
      (this.#prepared?.some((entry) => entry.log === log) ?? false) ||
      this.#rounds.some((round) => round.runs.some((entry) => entry.log === log))
    )
  }

  #schedule(): void {
    if (this.#isScheduled || this.#rounds.length >= roundsInFlightLimit) return
    this.#isScheduled = true
    this.#options.clock.afterTurn(() => {
      this.#isScheduled = false
      this.#start()
    })
  }

  #start(): void {
    if (this.#isStopped || this.#rounds.length >= roundsInFlightLimit) return
    const entries = this.#prepared ?? this.#collect()
    if (entries.length === 0) {
      // What waited is held: the last round may need its witness all the same.
      if (this.#idle === undefined) this.#armIdle()
      return
    }
    const journaled = entries.filter(({ log }) => log.flushMode === 'ack').map(({ run }) => run)
    if (journaled.length > 0 && !this.#hasRoom(journaled)) {
      this.#prepared = entries
      this.#options.onFull()
      return
    }
    this.#prepared = undefined
    this.#write(entries, journaled)
    if (this.#waiting.size > 0) this.#schedule()
  }

  #hasRoom(journaled: readonly LogRun[]): boolean {
    try {
      return this.#options.journal.hasRoom(journaled)
    } catch (error) {
      this.#fail(error)
      return false
    }
  }

  /** Takes what waits, one log after the other, up to the size of a round. */
  #collect(): RoundRun[] {
    const entries: RoundRun[] = []
    let bytes = 0
    for (const log of this.#waiting) {
      this.#waiting.delete(log)
      if (log.isHeld) continue
      for (const run of log.takePending(Math.max(0, roundBytesMax - bytes))) {
        entries.push({ log, run })
        bytes += run.lengthBytes
      }
      if (log.isPending) this.#waiting.add(log)
      if (bytes >= roundBytesMax || entries.length >= roundEntriesLimit - 1) break
    }
    return entries
  }

  #write(entries: RoundRun[], journaled: LogRun[]): void {
    const { journal } = this.#options
    const lsn = journaled.length > 0 ? journal.nextLsn : undefined
    if (lsn !== undefined) this.#lastDataLsn = lsn
    const round: Round = { runs: entries, lsn, isWritten: false }
    this.#rounds.push(round)
    const waits: Promise<unknown>[] = []
    if (journaled.length > 0) waits.push(journal.write(journaled))
    for (const { run } of entries) {
      const writing = this.#writeRun(run)
      if (writing !== undefined) waits.push(writing)
    }
    Promise.all(waits).then(
      () => {
        round.isWritten = true
        this.#completeInOrder()
      },
      (error: unknown) => this.#fail(error),
    )
  }

  /** Writes to the page cache; undefined when it is done already. */
  #writeRun(run: LogRun): Promise<void> | undefined {
    // The file is cut when the round is complete: see truncation.ts.
    if (run.kind === 'truncate') return undefined
    const { storage } = this.#options
    const lease = storage.openFiles.lease(run.segment.path)
    if (lease === undefined || run.lengthBytes > syncWriteBytesMax) {
      return this.#writeLarge(run, lease)
    }
    try {
      lease.file.writeSync(run.buffers, run.position)
      return undefined
    } catch (error) {
      return Promise.reject(error)
    } finally {
      lease.release()
    }
  }

  async #writeLarge(
    run: LogRun,
    open: ReturnType<LogStorage['openFiles']['lease']>,
  ): Promise<void> {
    const lease = open ?? (await this.#options.storage.openSegment(run.segment, { create: true }))
    try {
      await lease.file.write(run.buffers, run.position)
    } finally {
      lease.release()
    }
  }

  #completeInOrder(): void {
    if (this.#isStopped) return
    while (this.#rounds[0]?.isWritten === true) {
      const round = this.#rounds.shift() as Round
      for (const { log, run } of round.runs) log.confirm(run)
      if (round.lsn !== undefined) this.#completedLsn = round.lsn
      if (round.runs.length > 0) this.#options.onWritten(round.runs, round.lsn)
      const logs = new Set(round.runs.map(({ log }) => log))
      for (const log of logs) log.onConfirmed?.()
    }
    if (this.#waiting.size > 0 || this.#prepared !== undefined) this.#schedule()
    else if (this.#idle === undefined) this.#armIdle()
    this.#wakeSettled()
  }

  #armIdle(): void {
    const armedAt = this.#lastDataLsn
    this.#idle = this.#options.clock.setTimer(idleMs, () => {
      this.#idle = undefined
      if (this.#isStopped || this.#rounds.length > 0) return
      if (this.#lastDataLsn !== armedAt) this.#armIdle()
      else this.#writeWitness()
    })
  }

  #writeWitness(): void {
    const { journal } = this.#options
    if (this.#lastDataLsn + 1n !== journal.nextLsn || this.#lastDataLsn === 0n) return
    if (!this.#hasRoom([])) {
      this.#options.onFull()
      if (!this.#isStopped) this.#armIdle()
      return
    }
    const round: Round = { runs: [], lsn: journal.nextLsn, isWritten: false }
    this.#rounds.push(round)
    journal.write([]).then(
      () => {
        round.isWritten = true
        this.#completeInOrder()
      },
      (error: unknown) => this.#fail(error),
    )
  }

  #fail(error: unknown): void {
    if (this.#isStopped) return
    this.stop()
    this.#options.onError(error)
  }

  #wakeSettled(): void {
    const waiters = this.#whenEmpty.splice(0)
    for (const wake of waiters) wake()
  }
}
