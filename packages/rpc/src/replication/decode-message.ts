import { DecodeError } from '@naru/base'
import { type FieldKind, isList, type MessageShape, tagOf, wireTypes } from './message-shape.ts'

type Fields = Record<string, unknown>

/**
 * Absent fields have their defaults; absent messages are left out. What is a list of buffers when it is sent comes as one view of
 * `bytes`. Fields of later versions are passed over. Throws DecodeError.
 */
export function decodeMessage(shape: MessageShape, bytes: Buffer): Fields {
  return new Reader(bytes).message(shape, bytes.length)
}

class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  message(shape: MessageShape, end: number): Fields {
    const fields = defaultsOf(shape)
    while (this.#at < end) {
      const tag = this.#number()
      const index = (tag >>> 3) - 1
      const field = shape.fields[index]
      if (field === undefined || tagOf(index, field[1]) !== tag) this.#skip(tag & 7, end)
      else this.#field(fields, field, end)
    }
    if (this.#at !== end) throw new DecodeError('A field ends beyond its message')
    return fields
  }

  #field(fields: Fields, [name, kind]: readonly [string, FieldKind], end: number): void {
    if (kind === 'int') fields[name] = Number(BigInt.asIntN(32, this.#long()))
    else if (kind === 'long') fields[name] = this.#long()
    else {
      const fieldEnd = this.#fieldEnd(end)
      if (kind === 'text') fields[name] = this.#view(fieldEnd).toString('utf8')
      else if (kind === 'buffers') fields[name] = this.#view(fieldEnd)
      else if (kind === 'ints') this.#ints(fields[name] as number[], fieldEnd)
      else if (isList(kind)) {
        const list = fields[name] as Fields[]
        list.push(this.message(kind.elements, fieldEnd))
      } else fields[name] = this.message(kind, fieldEnd)
    }
  }

  #fieldEnd(end: number): number {
    const length = this.#number()
    if (length > end - this.#at) throw new DecodeError(`A field of ${length} bytes is cut off`)
    return this.#at + length
  }

  #view(end: number): Buffer {
    const view = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return view
  }

  #ints(values: number[], end: number): void {
    while (this.#at < end) values.push(Number(BigInt.asIntN(32, this.#long())))
  }

  #skip(wireType: number, end: number): void {
    if (wireType === wireTypes.varint) this.#long()
    else if (wireType === wireTypes.bytes) this.#at = this.#fieldEnd(end)
    else if (wireType === wireTypes.fixed64) this.#at += 8
    else if (wireType === wireTypes.fixed32) this.#at += 4
    else throw new DecodeError(`There is no wire type ${wireType}`)
  }

  #number(): number {
    const value = this.#long()
    if (value < 0n || value > 0x7fffffffn) throw new DecodeError(`${value} is no length`)
    return Number(value)
  }

  #long(): bigint {
    let low = 0
    let scale = 1
    for (let count = 0; count < 7; count++) {
      const byte = this.#byte()
      low += (byte & 0x7f) * scale
      if (byte < 0x80) return BigInt(low)
      scale *= 0x80
    }
    let value = BigInt(low)
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, value)
    }
    throw new DecodeError('A number has no end')
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new DecodeError('A message is cut off')
    return byte
  }
}

const noBytes = Buffer.alloc(0)

function defaultsOf(shape: MessageShape): Fields {
  const fields: Fields = {}
  for (const [name, kind] of shape.fields) {
    if (kind === 'int') fields[name] = 0
    else if (kind === 'long') fields[name] = 0n
    else if (kind === 'text') fields[name] = ''
    else if (kind === 'buffers') fields[name] = noBytes
    else if (kind === 'ints' || isList(kind)) fields[name] = []
  }
  return fields
}
