/** The one true log of a partition: what any leader ever took for committed. It only grows, and every replica and client is held to it. */
import { readBatchHeader } from '@naru/records'
import { mustHold } from '../raft/raft-history.ts'
import type { LogShadow, ShadowBatch } from './log-shadow.ts'

export class CommittedLog {
  readonly name: string
  readonly #batches: ShadowBatch[] = []
  /** Nothing from here on was ever asked to be deleted. */
  deletedTo = 0n

  constructor(name: string) {
    this.name = name
  }

  get endOffset(): bigint {
    return this.#batches.at(-1)?.nextOffset ?? 0n
  }

  get batches(): readonly ShadowBatch[] {
    return this.#batches
  }

  /** A leader takes everything below `highWatermark` for committed (invariants 22, 23, 26). */
  committed(who: string, shadow: LogShadow, highWatermark: bigint): void {
    const known = highWatermark < this.endOffset ? highWatermark : this.endOffset
    this.#checkPrefix(who, shadow, known)
    if (highWatermark <= this.endOffset) return
    this.#batches.push(...shadow.between(this.endOffset, highWatermark))
    mustHold(
      this.endOffset === highWatermark,
      'what is committed is there',
      () => `${who} of ${this.name}: ${this.endOffset} of ${highWatermark}`,
    )
  }

  /** A follower knows of nothing that no leader has committed, and has it as it is (invariant 25). */
  known(who: string, shadow: LogShadow, highWatermark: bigint): void {
    mustHold(
      highWatermark <= this.endOffset,
      'followers know of nothing else',
      () => `${who} of ${this.name}: ${highWatermark} beyond ${this.endOffset}`,
    )
    const whole = this.#wholeBelow(highWatermark)
    mustHold(
      whole === highWatermark || highWatermark <= this.deletedTo,
      'followers know of whole batches, but where a leader begins within one',
      () => `${who} of ${this.name}: ${highWatermark} is within the batch at ${whole}`,
    )
    if (whole > shadow.startOffset) this.#checkPrefix(who, shadow, whole)
  }

  /** Whether a log has all of this as it is. */
  isIn(shadow: LogShadow): boolean {
    return shadow.endOffset >= this.endOffset && shadow.chainAt(this.endOffset) === this.#chain
  }

  /** What a consumer was given from an offset on is what is committed there (invariants 26, 47). */
  read(who: string, bytes: Buffer, baseOffset: bigint): void {
    const batch = this.#batches.find((each) => each.baseOffset === baseOffset)
    mustHold(
      batch?.bytes.equals(bytes) === true,
      'what is read is what is committed',
      () => `${who} of ${this.name} at ${baseOffset}, committed to ${this.endOffset}`,
    )
  }

  /** Of everything below an offset where a batch ends; undefined within one. */
  chainAt(offset: bigint): number | undefined {
    if (offset === 0n) return 1
    return this.#batches.findLast(({ nextOffset }) => nextOffset === offset)?.chain
  }

  /** Whether the batch of a producer was there, and clients wanted it to be deleted. */
  isDeleted(producerId: bigint, baseSequence: number): boolean {
    const found = this.#batches.findLast(({ bytes }) => {
      const header = readBatchHeader(bytes)
      return header.producerId === producerId && header.baseSequence === baseSequence
    })
    return found !== undefined && found.nextOffset <= this.deletedTo
  }

  /** A log begins behind what clients wanted to be deleted, and nothing else. */
  begins(who: string, logStartOffset: bigint): void {
    mustHold(
      logStartOffset <= this.deletedTo,
      'nothing is deleted that nobody wanted to be',
      () => `${who} of ${this.name} begins at ${logStartOffset}, deleted to ${this.deletedTo}`,
    )
  }

  #checkPrefix(who: string, shadow: LogShadow, endOffset: bigint): void {
    const mine = this.chainAt(endOffset)
    mustHold(
      mine !== undefined && shadow.chainAt(endOffset) === mine,
      'what is committed never changes',
      () => `${who} of ${this.name} below ${endOffset}, its log ends at ${shadow.endOffset}`,
    )
  }

  /** Where the batch begins within which an offset lies; the offset itself where one ends. */
  #wholeBelow(offset: bigint): bigint {
    return this.#batches.findLast(({ nextOffset }) => nextOffset <= offset)?.nextOffset ?? 0n
  }

  get #chain(): number {
    return this.#batches.at(-1)?.chain ?? 1
  }
}
