/** The wire format of Protocol Buffers, read. Every method throws {@link DecodeError} instead of reading past the end. */
import { DecodeError } from '@naru/base'

export const wireTypes = { varint: 0, fixed64: 1, delimited: 2, fixed32: 5 } as const

export class WireReader {
  readonly buffer: Buffer
  position = 0
  /** Of the message that is being read. */
  end: number
  /** The varint that was read last: its lowest 28 bits, the 28 above them, the highest 8. */
  #low = 0
  #middle = 0
  #high = 0
  #goesOn = false

  constructor(buffer: Buffer) {
    this.buffer = buffer
    this.end = buffer.length
  }

  /** A number below 2^32: a tag or a length. */
  uint32(): number {
    this.#varint()
    if (this.#high !== 0 || this.#middle > 0xf) throw new DecodeError('A varint is too large')
    return (this.#low | (this.#middle << 28)) >>> 0
  }

  int32(): number {
    this.#varint()
    return this.#low | (this.#middle << 28)
  }

  int64(): bigint {
    this.#varint()
    if (this.#high === 0 && this.#middle < 1 << 25) {
      return BigInt(this.#middle * 0x1000_0000 + this.#low)
    }
    const upper = (BigInt(this.#high) << 28n) | BigInt(this.#middle)
    return BigInt.asIntN(64, (upper << 28n) | BigInt(this.#low))
  }

  text(): string {
    const size = this.uint32()
    const from = this.#take(size)
    return this.buffer.toString('utf8', from, from + size)
  }

  /** A view. */
  bytes(): Buffer {
    const size = this.uint32()
    const from = this.#take(size)
    return this.buffer.subarray(from, from + size)
  }

  /** Has `read` see the bytes that a length says belong together, and nothing behind them. */
  within<T>(read: () => T): T {
    const size = this.uint32()
    const from = this.#take(size)
    const outerEnd = this.end
    this.position = from
    this.end = from + size
    const value = read()
    this.end = outerEnd
    return value
  }

  /** Moves past a field that is not known here. */
  skip(tag: number): void {
    const wireType = tag & 7
    if (tag < 8) throw new DecodeError('No field has the number 0')
    if (wireType === wireTypes.varint) this.#varint()
    else if (wireType === wireTypes.fixed64) this.#take(8)
    else if (wireType === wireTypes.delimited) this.#take(this.uint32())
    else if (wireType === wireTypes.fixed32) this.#take(4)
    else throw new DecodeError(`Wire type ${wireType} is not used`)
  }

  #varint(): void {
    this.#low = this.#septets(4)
    this.#middle = this.#goesOn ? this.#septets(4) : 0
    this.#high = this.#goesOn ? this.#septets(2) & 0xff : 0
    if (this.#goesOn) throw new DecodeError('A varint has more than ten bytes')
  }

  /** Of the next bytes, `count` at most, seven bits each. */
  #septets(count: number): number {
    let value = 0
    this.#goesOn = true
    for (let at = 0; at < count && this.#goesOn; at++) {
      const byte = this.buffer[this.#take(1)] as number
      value |= (byte & 0x7f) << (7 * at)
      this.#goesOn = byte > 0x7f
    }
    return value
  }

  #take(size: number): number {
    const from = this.position
    if (size > this.end - from) {
      throw new DecodeError(`Cannot read ${size} bytes: ${this.end - from} remain`)
    }
    this.position = from + size
    return from
  }
}
