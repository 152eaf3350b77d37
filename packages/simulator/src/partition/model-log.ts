/**
 * A replica's log without bytes. A batch is one object wherever it is stored, and knows the batch that its leader had before it: so two
 * logs that hold the same batch agree in all that comes before.
 */
import { LeaderEpochs } from '@naru/partition'
import { mustHold } from '../raft/raft-history.ts'

export interface Batch {
  readonly baseOffset: bigint
  readonly nextOffset: bigint
  readonly epoch: number
  /** How many batches come before it. */
  readonly index: number
  readonly previous: Batch | undefined
}

export class ModelLog {
  readonly epochs = new LeaderEpochs()
  #batches: Batch[] = []
  /** The last one below the start. */
  #base: Batch | undefined
  #flushedOffset = 0n

  get startOffset(): bigint {
    return this.#base?.nextOffset ?? 0n
  }

  get endOffset(): bigint {
    return this.last?.nextOffset ?? 0n
  }

  get flushedOffset(): bigint {
    return this.#flushedOffset
  }

  get last(): Batch | undefined {
    return this.#batches.at(-1) ?? this.#base
  }

  /** Of the last batch that is there: not of one that was, nor of a leadership in which nothing was written (KAFKA-15510). */
  get lastEpoch(): number {
    return this.#batches.at(-1)?.epoch ?? -1
  }

  at(index: number): Batch | undefined {
    return this.#batches[index - this.#firstIndex]
  }

  /** Whether it has the batch, or had it before its start moved on. */
  holds(batch: Batch | undefined): boolean {
    if (batch === undefined || batch === this.#base) return true
    return this.at(batch.index) === batch || batch.nextOffset < this.startOffset
  }

  /** The batch that ends there; undefined when none does. */
  endingAt(offset: bigint): Batch | undefined {
    if (offset === this.startOffset) return this.#base
    return this.#batches.findLast(({ nextOffset }) => nextOffset === offset)
  }

  /** At most `count` batches from `offset` on. */
  from(offset: bigint, count: number): Batch[] {
    const first = this.#batches.findIndex(({ baseOffset }) => baseOffset >= offset)
    return first < 0 ? [] : this.#batches.slice(first, first + count)
  }

  append(batch: Batch): void {
    const { last } = this
    mustHold(
      batch.previous === last && batch.baseOffset === this.endOffset,
      'logs agree up to every batch',
      () => `${batch.baseOffset}/${batch.epoch} after ${last?.baseOffset}/${last?.epoch}`,
    )
    mustHold(batch.epoch >= (last?.epoch ?? 0), 'epochs rise in a log', () => `${batch.epoch}`)
    this.#batches.push(batch)
    this.epochs.assign(batch.epoch, batch.baseOffset)
    mustHold(
      this.epochs.epochOf(batch.baseOffset) === batch.epoch,
      'epochs are those of the log',
      () => `${batch.epoch} at ${batch.baseOffset}`,
    )
  }

  flush(): void {
    this.#flushedOffset = this.endOffset
  }

  /** What is cut is gone for good: the shorter log is flushed as far as it was. */
  truncate(endOffset: bigint): void {
    mustHold(endOffset >= this.startOffset, 'no cut below the start', () => `${endOffset}`)
    while ((this.#batches.at(-1)?.nextOffset ?? 0n) > endOffset) this.#batches.pop()
    if (this.#flushedOffset > this.endOffset) this.#flushedOffset = this.endOffset
    this.epochs.truncateEnd(this.endOffset)
  }

  /** The batches that end at or below the offset go. */
  moveStart(offset: bigint): void {
    while (this.#batches[0] !== undefined && this.#batches[0].nextOffset <= offset) {
      this.#base = this.#batches.shift()
    }
    if (this.#flushedOffset < this.startOffset) this.#flushedOffset = this.startOffset
    this.epochs.truncateStart(this.startOffset)
  }

  /** Nothing is left, and it goes on after `base`. */
  restart(base: Batch | undefined): void {
    this.#batches = []
    this.#base = base
    this.#flushedOffset = this.startOffset
    this.epochs.truncateEnd(0n)
  }

  /** The end that is not flushed, as far as it is lost with the page cache. */
  lose(keptOffset: bigint): boolean {
    const before = this.endOffset
    this.truncate(keptOffset > this.#flushedOffset ? keptOffset : this.#flushedOffset)
    return this.endOffset < before
  }

  get #firstIndex(): number {
    return this.#base === undefined ? 0 : this.#base.index + 1
  }
}
