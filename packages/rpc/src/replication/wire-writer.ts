/**
 * The wire format of Protocol Buffers, written from the back to the front: when the length of a message is due, the message stands
 * there already. So sizes are counted once, for the allocation, and not again at each level.
 */
import { assert } from '@naru/base'

/** Of an unsigned varint below 2^53. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x20_0000) return 3
  if (value < 0x1000_0000) return 4
  let size = 5
  for (let rest = Math.floor(value / 0x8_0000_0000); rest > 0; rest = Math.floor(rest / 0x80)) {
    size++
  }
  return size
}

/** Negative numbers are extended to 64 bits. */
export function int32Size(value: number): number {
  return value < 0 ? 10 : varintSize(value)
}

export function int64Size(value: bigint): number {
  if (value < 0n) return 10
  const number = Number(value)
  if (number <= Number.MAX_SAFE_INTEGER) return varintSize(number)
  return value < 1n << 56n ? 8 : 9
}

export class WireWriter {
  readonly buffer: Buffer
  /** Where what has been written begins. */
  position: number

  /** Fills `buffer` from its end. */
  constructor(buffer: Buffer) {
    this.buffer = buffer
    this.position = buffer.length
  }

  /** Unsigned, below 2^53. */
  varint(value: number): void {
    const { buffer } = this
    let at = this.#reserve(varintSize(value))
    let rest = value
    for (; rest >= 0x1000_0000; rest = Math.floor(rest / 0x80)) buffer[at++] = (rest % 0x80) | 0x80
    for (; rest >= 0x80; rest >>>= 7) buffer[at++] = (rest & 0x7f) | 0x80
    buffer[at] = rest
  }

  int32(value: number): void {
    if (value < 0) this.#bigVarint(BigInt(value))
    else this.varint(value)
  }

  int64(value: bigint): void {
    const number = Number(value)
    if (number >= 0 && number <= Number.MAX_SAFE_INTEGER) this.varint(number)
    else this.#bigVarint(value)
  }

  text(value: string): void {
    const size = Buffer.byteLength(value, 'utf8')
    this.buffer.write(value, this.#reserve(size), size, 'utf8')
  }

  bytes(value: Buffer): void {
    value.copy(this.buffer, this.#reserve(value.length))
  }

  /** Of what was written since `end`. */
  length(end: number): void {
    this.varint(end - this.position)
  }

  tag(number: number, wireType: number): void {
    this.varint((number << 3) | wireType)
  }

  #bigVarint(value: bigint): void {
    const { buffer } = this
    let at = this.#reserve(int64Size(value))
    let rest = BigInt.asUintN(64, value)
    for (; rest >= 0x80n; rest >>= 7n) buffer[at++] = Number(rest & 0x7fn) | 0x80
    buffer[at] = Number(rest)
  }

  #reserve(size: number): number {
    this.position -= size
    assert(this.position >= 0, 'a message is larger than its size was counted')
    return this.position
  }
}
