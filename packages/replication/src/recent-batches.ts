/** The batches that a leader has appended and not confirmed yet: followers are sent them from memory, while the disk is at work. */
interface RecentBatch {
  readonly baseOffset: bigint
  readonly nextOffset: bigint
  readonly bytes: Buffer
}

export class RecentBatches {
  /** Contiguous, oldest first. */
  #batches: RecentBatch[] = []

  appended(batch: RecentBatch): void {
    this.#batches.push(batch)
  }

  /** What lies below `offset` can be read from the log. */
  confirmed(offset: bigint): void {
    let count = 0
    while (count < this.#batches.length) {
      if ((this.#batches[count] as RecentBatch).nextOffset > offset) break
      count++
    }
    if (count > 0) this.#batches.splice(0, count)
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
