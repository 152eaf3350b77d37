import type { FlushMode } from '@naru/log'

/** What one incarnation of a log was given, and how much of it was promised to stay. */
export class LogLedger {
  firstOffset: number
  /** Hexadecimal, once the log is made. */
  logId: string | undefined
  state: 'creating' | 'live' | 'deleting' = 'creating'
  /** Exclusive end of what outlives the process. */
  acknowledged: number
  /** Exclusive end of what outlives a loss of power. */
  durable: number
  /** Where the log begins... */
  start: number
  /** ...or would, if a move that is under way were done. */
  startMax: number
  leaderEpoch = 0
  /** A change of its flush mode is under way. */
  isSwitching = false
  /** Where the log is to end, while it is cut. */
  cutTo: number | undefined
  /** Where the log is to begin anew, or may have to, while that is under way. */
  restartTo: number | undefined
  readonly #values: string[] = []
  /** What a truncation cut, `offset value`: it may come back when the disk lost the entry that says so. */
  readonly #cutAway = new Set<string>()
  #longestEnd = 0
  /** Serial numbers of batches by base offset, in order. */
  readonly #serials = new Map<number, number>()

  constructor(firstOffset: number) {
    this.firstOffset = firstOffset
    this.acknowledged = firstOffset
    this.durable = firstOffset
    this.start = firstOffset
    this.startMax = firstOffset
  }

  get end(): number {
    return this.firstOffset + this.#values.length
  }

  /** Exclusive end of what must be there after a start. */
  needed({ hasLostPower }: { hasLostPower: boolean }): number {
    const promised = hasLostPower ? this.durable : this.acknowledged
    return Math.min(promised, this.cutTo ?? promised)
  }

  /** The last boundary of a batch at or below `offset`. */
  boundaryAt(offset: number): number {
    if (offset >= this.end) return this.end
    return [...this.#serials.keys()].findLast((base) => base <= offset) ?? this.firstOffset
  }

  append(serial: number, values: readonly string[]): void {
    this.#serials.set(this.end, serial)
    this.#values.push(...values)
  }

  /** The log said that everything below `offset` may be acknowledged. */
  confirm(offset: number, mode: FlushMode): void {
    this.acknowledged = Math.max(this.acknowledged, offset)
    if (mode === 'ack') this.durable = Math.max(this.durable, offset)
  }

  startMoves(offset: number): void {
    this.startMax = Math.max(this.startMax, offset)
  }

  startMoved(offset: number): void {
    this.start = Math.max(this.start, offset)
    this.durable = Math.max(this.durable, offset)
  }

  valueAt(offset: number): string | undefined {
    return this.#values[offset - this.firstOffset]
  }

  /** Where the log ended before it was cut, or ends. */
  get longestEnd(): number {
    return Math.max(this.end, this.#longestEnd)
  }

  wasCut(offset: number, value: string | undefined): boolean {
    return this.#cutAway.has(`${offset} ${value}`)
  }

  serialAt(baseOffset: number): number | undefined {
    return this.#serials.get(baseOffset)
  }

  get lastBatchOffset(): number | undefined {
    return [...this.#serials.keys()].at(-1)
  }

  cutBegins(boundary: number): void {
    this.cutTo = boundary
    // Nothing would remain that may be read.
    if (boundary < this.startMax) this.restartBegins(boundary)
  }

  /** It was cut where that was meant: what remains is durable, unless there was nothing to cut. */
  cutDone({ hasCut }: { hasCut: boolean }): void {
    const end = this.cutTo as number
    this.#longestEnd = this.longestEnd
    for (let at = end; at < this.end; at++) this.#cutAway.add(`${at} ${this.valueAt(at)}`)
    this.#forgetAbove(end)
    this.acknowledged = end
    this.durable = hasCut ? end : Math.min(this.durable, end)
    this.cutTo = undefined
    this.restartTo = undefined
  }

  restartBegins(offset: number): void {
    this.restartTo = offset
    this.cutTo = 0
    this.start = 0
  }

  /** It was to begin anew: a crash may have left less than what its records, deleted or not, had come to. */
  get mayBeBelowStart(): boolean {
    return this.restartTo !== undefined && this.startMax > this.firstOffset
  }

  /** It is another log now, and empty. */
  restarted(logId: string): void {
    const first = this.restartTo as number
    this.logId = logId
    this.#values.length = 0
    this.#serials.clear()
    this.#cutAway.clear()
    this.#longestEnd = 0
    this.firstOffset = first
    this.adopt({ start: first, end: first })
  }

  /** A start found this, which readers see from now on: it is promised, and what is not there never was. */
  adopt({ start, end }: { start: number; end: number }): void {
    this.#forgetAbove(end)
    this.acknowledged = end
    this.durable = end
    this.start = start
    this.startMax = start
    this.cutTo = undefined
    this.restartTo = undefined
  }

  #forgetAbove(end: number): void {
    this.#values.length = Math.max(0, end - this.firstOffset)
    for (const baseOffset of [...this.#serials.keys()]) {
      if (baseOffset >= end) this.#serials.delete(baseOffset)
    }
  }
}
