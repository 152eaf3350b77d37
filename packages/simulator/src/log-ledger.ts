import type { FlushMode } from '@naru/log'

/** What one incarnation of a log was given, and how much of it was promised to stay. */
export class LogLedger {
  readonly firstOffset: number
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
  readonly #values: string[] = []
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

  serialAt(baseOffset: number): number | undefined {
    return this.#serials.get(baseOffset)
  }

  get lastBatchOffset(): number | undefined {
    return [...this.#serials.keys()].at(-1)
  }

  /** A start found this, which readers see from now on: it is promised, and what is not there never was. */
  adopt({ start, end }: { start: number; end: number }): void {
    this.#values.length = Math.max(0, end - this.firstOffset)
    for (const baseOffset of [...this.#serials.keys()]) {
      if (baseOffset >= end) this.#serials.delete(baseOffset)
    }
    this.acknowledged = end
    this.durable = end
    this.start = start
    this.startMax = start
    this.isSwitching = false
  }
}
