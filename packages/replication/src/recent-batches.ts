/**
 * The batches that a leader has appended last: followers are sent them from memory, while the disk is at work and for a while after, so
 * that who is a moment behind need not read.
 */
interface RecentBatch {
  readonly baseOffset: bigint
  readonly nextOffset: bigint
  readonly bytes: Buffer
}

/** Of one partition, besides what the log has not confirmed. */
const keptBytesMax = 4 << 20

/** What the leaders of a broker keep together, besides what their logs have not confirmed. */
export class RecentBytes {
  readonly #max: number
  #kept = 0

  constructor(max = 32 << 20) {
    this.#max = max
  }

  get isExceeded(): boolean {
    return this.#kept > this.#max
  }

  moved(bytes: number): void {
    this.#kept += bytes
  }
}

export class RecentBatches {
  readonly #together: RecentBytes
  /** Contiguous, oldest first. */
  #batches: RecentBatch[] = []
  #bytes = 0

  constructor(together: RecentBytes) {
    this.#together = together
  }

  /** Where the oldest begins. */
  get startOffset(): bigint | undefined {
    return this.#batches[0]?.baseOffset
  }

  appended(batch: RecentBatch): void {
    this.#batches.push(batch)
    this.#count(batch.bytes.length)
  }

  /** What lies below `confirmedOffset` can be read from the log; what lies below `wantedOffset` too nobody needs. */
  drop(confirmedOffset: bigint, wantedOffset: bigint): void {
    let count = 0
    for (const { nextOffset, bytes } of this.#batches) {
      const isKept = this.#bytes <= keptBytesMax && !this.#together.isExceeded
      if (nextOffset > confirmedOffset || (isKept && nextOffset > wantedOffset)) break
      this.#count(-bytes.length)
      count++
    }
    if (count > 0) this.#batches.splice(0, count)
  }

  clear(): void {
    this.#batches = []
    this.#count(-this.#bytes)
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    this.#together.moved(bytes)
  }

  /** Batches from `offset` on, at least one; undefined when they are not here. */
  from(offset: bigint, bytesMax: number): { batches: Buffer[]; nextOffset: bigint } | undefined {
    const first = this.#indexOf(offset)
    if (first === undefined) return undefined
    const batches: Buffer[] = []
    let bytes = 0
    let nextOffset = offset
    for (let at = first; at < this.#batches.length; at++) {
      const batch = this.#batches[at] as RecentBatch
      if (batches.length > 0 && bytes + batch.bytes.length > bytesMax) break
      batches.push(batch.bytes)
      bytes += batch.bytes.length
      nextOffset = batch.nextOffset
    }
    return { batches, nextOffset }
  }

  #indexOf(offset: bigint): number | undefined {
    let low = 0
    let high = this.#batches.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const { baseOffset } = this.#batches[middle] as RecentBatch
      if (baseOffset === offset) return middle
      if (baseOffset < offset) low = middle + 1
      else high = middle - 1
    }
    return undefined
  }
}
