/** What one broker's disk is known to hold of one partition, whether its process lives or not. */
import type { Log } from '@naru/log'
import { mustHold } from '../raft/raft-history.ts'
import type { LogShadow } from './log-shadow.ts'

export class ReplicaRecord {
  readonly name: string
  #log: Log | undefined
  #shadow: LogShadow
  /** End of what the process before had confirmed. */
  #held = 0n
  #cutTo: bigint | undefined
  #isFlushed = true
  #isDeleting = false
  /** What its log has let go for good: a client was told so. */
  #deletedTo = 0n
  /** How many processes the broker had had when the disk lost what it had: before a later one has registered nothing is expected. */
  lostBefore: number | undefined
  /** The disk does not show it: it is told after the registration, before the broker takes part. */
  isToldLater = false

  constructor(name: string, shadow: LogShadow) {
    this.name = name
    this.#shadow = shadow
  }

  get shadow(): LogShadow {
    return this.#shadow
  }

  get log(): Log | undefined {
    return this.#log
  }

  /** End of what it has promised to have. */
  get confirmedOffset(): bigint {
    return this.#log?.confirmedOffset ?? this.#held
  }

  /** A process has the log, as it found or made it. Invariant 31: what was confirmed has survived. */
  opened(log: Log, shadow: LogShadow, { isMade }: { isMade: boolean }): void {
    if (this.lostBefore === undefined && !isMade && !this.#isDeleting) {
      const expected = this.#shadow.chainAt(this.#held)
      const isDeleted = shadow.startOffset >= this.#held
      mustHold(
        isDeleted || (shadow.endOffset >= this.#held && shadow.chainAt(this.#held) === expected),
        'what was confirmed survives',
        () => `${this.name}: confirmed ${this.#held}, found ${shadow.endOffset}`,
      )
      // One that was being begun anew says that it is damaged, and has nothing that could come back.
      const isEmptied = log.isDamaged && log.logStartOffset === log.logEndOffset
      mustHold(
        isEmptied || log.logStartOffset >= this.#deletedTo,
        'what was deleted does not come back',
        () => `${this.name}: deleted to ${this.#deletedTo}, begins at ${log.logStartOffset}`,
      )
    } else this.#deletedTo = 0n
    this.#log = log
    this.#shadow = shadow
    this.#cutTo = undefined
    this.#isDeleting = false
  }

  cutting(endOffset: bigint): void {
    this.#cutTo = endOffset
  }

  cut(endOffset: bigint): void {
    this.#cutTo = undefined
    this.#shadow.truncate(endOffset)
  }

  /** It has begun anew, with nothing of what it had. */
  restarted(shadow: LogShadow): void {
    this.#cutTo = undefined
    this.#shadow = shadow
  }

  deleted(logStartOffset: bigint): void {
    if (logStartOffset > this.#deletedTo) this.#deletedTo = logStartOffset
  }

  /** It is about to be removed, and another may be made in its place. */
  deleting(): void {
    this.#isDeleting = true
  }

  /** The process is gone. */
  closed({ isPowerLost }: { isPowerLost: boolean }): void {
    this.#held = this.confirmedOffset
    if (this.#log !== undefined) this.#isFlushed = this.#log.flushMode === 'ack'
    // What was only written may go with the power, though the process was gone before.
    if (isPowerLost && !this.#isFlushed) this.#held = 0n
    const cutTo = this.#cutTo
    if (cutTo !== undefined && cutTo < this.#held) this.#held = cutTo
    this.#log = undefined
  }

  /** The disk does not have any more what it had. */
  lost(processes: number, { isToldLater }: { isToldLater: boolean }): void {
    this.#held = 0n
    this.lostBefore = processes
    this.isToldLater = isToldLater
  }
}
