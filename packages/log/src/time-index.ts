/**
 * The sparse index of a segment, timestamp to offset, in the bytes of Kafka's `.timeindex` file: entries of twelve bytes,
 * the largest timestamp so far (int64) and the relative last offset of the batch that holds it (int32). Timestamps rise strictly.
 */
const entryBytes = 12

export interface TimeIndexEntry {
  readonly timestamp: bigint
  readonly relativeOffset: number
}

export class TimeIndex {
  #buffer: Buffer
  #entries: number

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#buffer = bytes
    this.#entries = Math.floor(bytes.length / entryBytes)
  }

  get entries(): number {
    return this.#entries
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#entries * entryBytes)
  }

  get last(): TimeIndexEntry | undefined {
    return this.#entries === 0 ? undefined : this.#entry(this.#entries - 1)
  }

  /** Adds an entry unless its timestamp does not rise. */
  append(timestamp: bigint, relativeOffset: number): void {
    const last = this.last
    if (last !== undefined && timestamp <= last.timestamp) return
    const at = this.#entries * entryBytes
    if (at + entryBytes > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(96, this.#buffer.length * 2))
      this.#buffer.copy(larger, 0, 0, at)
      this.#buffer = larger
    }
    this.#buffer.writeBigInt64BE(timestamp, at)
    this.#buffer.writeInt32BE(relativeOffset, at + 8)
    this.#entries++
  }

  /** The last entry below `timestamp`: all batches up to its offset are older, so the search starts there. */
  lowerEntry(timestamp: bigint): TimeIndexEntry | undefined {
    let low = 0
    let high = this.#entries - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      if (this.#buffer.readBigInt64BE(middle * entryBytes) < timestamp) low = middle + 1
      else high = middle - 1
    }
    return high < 0 ? undefined : this.#entry(high)
  }

  /** Drops the entries whose batch ends at or above `relativeOffset`. */
  truncate(relativeOffset: number): void {
    while (
      this.#entries > 0 &&
      this.#buffer.readInt32BE((this.#entries - 1) * entryBytes + 8) >= relativeOffset
    ) {
      this.#entries--
    }
  }

  #entry(index: number): TimeIndexEntry {
    const at = index * entryBytes
    return {
      timestamp: this.#buffer.readBigInt64BE(at),
      relativeOffset: this.#buffer.readInt32BE(at + 8),
    }
  }
}
