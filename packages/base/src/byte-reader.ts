import { unzigzag, unzigzag64 } from './varint.ts'

/** Bytes that are not what their format says: always the sender's fault, never ours. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  readonly code = 'DECODE_ERROR'
}

/** A bounds-checked cursor over bytes. Every method throws {@link DecodeError} instead of reading past the end. */
export class ByteReader {
  readonly buffer: Buffer
  readonly end: number
  position: number

  constructor(buffer: Buffer, position = 0, end: number = buffer.length) {
    this.buffer = buffer
    this.position = position
    this.end = end
  }

  get remaining(): number {
    return this.end - this.position
  }

  /** Moves past `size` bytes and returns where they began. */
  take(size: number): number {
    const from = this.position
    if (size < 0 || size > this.end - from) {
      throw new DecodeError(`Cannot read ${size} bytes: ${this.end - from} remain`)
    }
    this.position = from + size
    return from
  }

  int8(): number {
    return this.buffer.readInt8(this.take(1))
  }

  int16(): number {
    return this.buffer.readInt16BE(this.take(2))
  }

  uint16(): number {
    return this.buffer.readUInt16BE(this.take(2))
  }

  int32(): number {
    return this.buffer.readInt32BE(this.take(4))
  }

  uint32(): number {
    return this.buffer.readUInt32BE(this.take(4))
  }

  int64(): bigint {
    return this.buffer.readBigInt64BE(this.take(8))
  }

  float64(): number {
    return this.buffer.readDoubleBE(this.take(8))
  }

  unsignedVarint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.take(1)] as number
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (shift === 28 && byte > 0x0f) break
        return value >>> 0
      }
    }
    throw new DecodeError('Varint is longer than 32 bits')
  }

  varint(): number {
    return unzigzag(this.unsignedVarint())
  }

  varlong(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.buffer[this.take(1)] as number
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) {
        if (shift === 63n && byte > 1) break
        return unzigzag64(value)
      }
    }
    throw new DecodeError('Varlong is longer than 64 bits')
  }

  /** A view of the next `size` bytes: no copy, so it lives as long as the buffer does. */
  bytes(size: number): Buffer {
    const from = this.take(size)
    return this.buffer.subarray(from, from + size)
  }

  utf8(size: number): string {
    const from = this.take(size)
    return this.buffer.toString('utf8', from, from + size)
  }
}
