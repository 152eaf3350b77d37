/**
 * The sparse index of a segment, offset to position, in the bytes of Kafka's `.index` file: entries of eight bytes, relative
 * offset and position, both int32. An entry names a batch by its last offset and says where it begins.
 */
const entryBytes = 8

export class OffsetIndex {
  #buffer: Buffer
  #entries: number

  /** `bytes` is what a file holds; a torn last entry is ignored. */
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

  append(relativeOffset: number, position: number): void {
    const at = this.#entries * entryBytes
    if (at + entryBytes > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(64, this.#buffer.length * 2))
      this.#buffer.copy(larger, 0, 0, at)
      this.#buffer = larger
    }
    this.#buffer.writeInt32BE(relativeOffset, at)
    this.#buffer.writeInt32BE(position, at + 4)
    this.#entries++
  }

  /** Where to start to look for `relativeOffset`: the position of the last entry at or below it, or 0. */
  floorPosition(relativeOffset: number): number {
    const entry = this.#floor(relativeOffset)
    return entry < 0 ? 0 : this.#buffer.readInt32BE(entry * entryBytes + 4)
  }

  /** The relative offset of that entry: the last one of the batch that begins there. Undefined when there is no such entry. */
  floorOffset(relativeOffset: number): number | undefined {
    const entry = this.#floor(relativeOffset)
    return entry < 0 ? undefined : this.#buffer.readInt32BE(entry * entryBytes)
  }

  /** Drops the entries at or above `relativeOffset`. */
  truncate(relativeOffset: number): void {
    this.#entries = this.#floor(relativeOffset - 1) + 1
  }

  #floor(relativeOffset: number): number {
    let low = 0
    let high = this.#entries - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      if (this.#buffer.readInt32BE(middle * entryBytes) <= relativeOffset) low = middle + 1
      else high = middle - 1
    }
    return high
  }
}
