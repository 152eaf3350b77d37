import { assert } from './assert.ts'
import { zigzag, zigzag64 } from './varint.ts'

/** Smaller bytes are cheaper to copy than to hand on as a buffer of their own. */
const referenceBytesMin = 1024

/** A growing buffer with a cursor. Values out of range are bugs of the caller and throw RangeError. */
export class ByteWriter {
  #buffer: Buffer
  #position = 0
  /** Finished pieces, when large values were taken by reference. */
  readonly #chunks: Buffer[] = []
  #chunksBytes = 0
  #chunkStart = 0

  constructor(initialBytes = 256) {
    this.#buffer = Buffer.allocUnsafe(initialBytes)
  }

  /** Bytes written so far. */
  get position(): number {
    return this.#chunksBytes + this.#position - this.#chunkStart
  }

  /** What was written so far: a view, valid until the next write. */
  finish(): Buffer {
    assert(this.#chunks.length === 0, 'Bytes were taken by reference: use finishChunks')
    return this.#buffer.subarray(0, this.#position)
  }

  /** What was written so far, large values as the buffers that they came in. */
  finishChunks(): Buffer[] {
    this.#cut()
    return this.#chunks
  }

  /** Writes bytes without a copy when they are large: they must not change until the chunks are sent. */
  reference(value: Buffer): void {
    if (value.length < referenceBytesMin) {
      this.bytes(value)
      return
    }
    this.#cut()
    this.#chunks.push(value)
    this.#chunksBytes += value.length
  }

  int8(value: number): void {
    const at = this.#grow(1)
    this.#buffer.writeInt8(value, at)
  }

  int16(value: number): void {
    const at = this.#grow(2)
    this.#buffer.writeInt16BE(value, at)
  }

  uint16(value: number): void {
    const at = this.#grow(2)
    this.#buffer.writeUInt16BE(value, at)
  }

  int32(value: number): void {
    const at = this.#grow(4)
    this.#buffer.writeInt32BE(value, at)
  }

  uint32(value: number): void {
    const at = this.#grow(4)
    this.#buffer.writeUInt32BE(value, at)
  }

  int64(value: bigint): void {
    const at = this.#grow(8)
    this.#buffer.writeBigInt64BE(value, at)
  }

  float64(value: number): void {
    const at = this.#grow(8)
    this.#buffer.writeDoubleBE(value, at)
  }

  unsignedVarint(value: number): void {
    let rest = value >>> 0
    while (rest > 0x7f) {
      this.#byte((rest & 0x7f) | 0x80)
      rest >>>= 7
    }
    this.#byte(rest)
  }

  varint(value: number): void {
    this.unsignedVarint(zigzag(value))
  }

  varlong(value: bigint): void {
    let rest = zigzag64(value)
    while (rest > 0x7fn) {
      this.#byte(Number(rest & 0x7fn) | 0x80)
      rest >>= 7n
    }
    this.#byte(Number(rest))
  }

  bytes(value: Uint8Array): void {
    const at = this.#grow(value.length)
    this.#buffer.set(value, at)
  }

  /** Writes the text without a length; returns nothing because the caller wrote `Buffer.byteLength(text)` before. */
  utf8(value: string): void {
    const size = Buffer.byteLength(value)
    const at = this.#grow(size)
    this.#buffer.write(value, at, size, 'utf8')
  }

  /** An empty writer for a part whose size goes before it. */
  nested(): ByteWriter {
    return new ByteWriter(64)
  }

  #byte(value: number): void {
    const at = this.#grow(1)
    this.#buffer[at] = value
  }

  #cut(): void {
    if (this.#position === this.#chunkStart) return
    this.#chunks.push(this.#buffer.subarray(this.#chunkStart, this.#position))
    this.#chunksBytes += this.#position - this.#chunkStart
    this.#chunkStart = this.#position
  }

  /** Makes room and moves on; may replace the buffer, so it is called before the buffer is named. */
  #grow(size: number): number {
    const from = this.#position
    if (from + size > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, from + size))
      this.#buffer.copy(larger, this.#chunkStart, this.#chunkStart, from)
      this.#buffer = larger
    }
    this.#position = from + size
    return from
  }
}
