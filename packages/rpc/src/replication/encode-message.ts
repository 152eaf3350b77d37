import { isList, type Message, type MessageShape, tagOf } from './message-shape.ts'

/** One buffer that holds the message and nothing else. */
export function encodeMessage(shape: MessageShape, message: Message): Buffer {
  // The lengths of inner messages stand before them: they are measured once, and written in the same order.
  const lengths: number[] = []
  const target = Buffer.allocUnsafe(measure(shape, message, lengths))
  new Writer(target, lengths).message(shape, message)
  return target
}

function measure(shape: MessageShape, message: Message, lengths: number[]): number {
  let bytes = 0
  for (const [name, kind] of shape.fields) {
    const value = message[name]
    if (value === undefined) continue
    if (kind === 'int' || kind === 'long') {
      if (!isZero(value)) bytes += 1 + varintBytes(value as number | bigint)
    } else if (kind === 'text') {
      bytes += delimited(Buffer.byteLength(value as string))
    } else if (kind === 'ints') {
      const ints = value as readonly number[]
      if (ints.length > 0) bytes += delimited(noted(lengths, () => sum(ints, varintBytes)))
    } else if (kind === 'buffers') {
      const buffers = value as readonly Buffer[]
      if (buffers.length > 0) bytes += delimited(noted(lengths, () => sum(buffers, lengthOf)))
    } else if (isList(kind)) {
      for (const element of value as readonly Message[]) {
        bytes += delimited(noted(lengths, () => measure(kind.elements, element, lengths)))
      }
    } else bytes += delimited(noted(lengths, () => measure(kind, value as Message, lengths)))
  }
  return bytes
}

/** Keeps the place of a length before those of what lies within. */
function noted(lengths: number[], measured: () => number): number {
  const at = lengths.push(0) - 1
  const bytes = measured()
  lengths[at] = bytes
  return bytes
}

function sum<T>(values: readonly T[], bytesOf: (value: T) => number): number {
  let bytes = 0
  for (const value of values) bytes += bytesOf(value)
  return bytes
}

function isZero(value: unknown): boolean {
  return value === 0 || value === 0n
}

function lengthOf(buffer: Buffer): number {
  return buffer.length
}

/** With its tag, of one byte, and its length. */
function delimited(bytes: number): number {
  return 1 + varintBytes(bytes) + bytes
}

function varintBytes(value: number | bigint): number {
  if (value < 0) return 10
  if (value > Number.MAX_SAFE_INTEGER) return value.toString(2).length > 56 ? 9 : 8
  let rest = Number(value)
  let bytes = 1
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++
  return bytes
}

class Writer {
  readonly #target: Buffer
  readonly #lengths: readonly number[]
  #at = 0
  #next = 0

  constructor(target: Buffer, lengths: readonly number[]) {
    this.#target = target
    this.#lengths = lengths
  }

  message(shape: MessageShape, message: Message): void {
    for (const [index, [name, kind]] of shape.fields.entries()) {
      const value = message[name]
      if (value === undefined) continue
      const tag = tagOf(index, kind)
      if (kind === 'int' || kind === 'long') this.#integer(tag, value as number | bigint)
      else if (kind === 'text') this.#text(tag, value as string)
      else if (kind === 'ints') this.#ints(tag, value as readonly number[])
      else if (kind === 'buffers') this.#buffers(tag, value as readonly Buffer[])
      else if (isList(kind)) {
        for (const element of value as readonly Message[]) {
          this.#open(tag)
          this.message(kind.elements, element)
        }
      } else {
        this.#open(tag)
        this.message(kind, value as Message)
      }
    }
  }

  #open(tag: number): void {
    this.#target[this.#at++] = tag
    this.#varint(this.#lengths[this.#next++] as number)
  }

  #integer(tag: number, value: number | bigint): void {
    if (isZero(value)) return
    this.#target[this.#at++] = tag
    this.#varint(value)
  }

  #text(tag: number, value: string): void {
    this.#target[this.#at++] = tag
    this.#varint(Buffer.byteLength(value))
    this.#at += this.#target.write(value, this.#at)
  }

  #ints(tag: number, values: readonly number[]): void {
    if (values.length === 0) return
    this.#open(tag)
    for (const value of values) this.#varint(value)
  }

  #buffers(tag: number, buffers: readonly Buffer[]): void {
    if (buffers.length === 0) return
    this.#open(tag)
    for (const buffer of buffers) {
      this.#target.set(buffer, this.#at)
      this.#at += buffer.length
    }
  }

  #varint(value: number | bigint): void {
    if (value < 0 || value > Number.MAX_SAFE_INTEGER) {
      this.#wide(BigInt(value))
      return
    }
    let rest = Number(value)
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
      this.#target[this.#at++] = (rest % 0x80) | 0x80
    }
    this.#target[this.#at++] = rest
  }

  /** In two's complement of 64 bits where it is negative. */
  #wide(value: bigint): void {
    let rest = BigInt.asUintN(64, value)
    for (; rest >= 0x80n; rest >>= 7n) {
      this.#target[this.#at++] = Number(rest & 0x7fn) | 0x80
    }
    this.#target[this.#at++] = Number(rest)
  }
}
