/**
 * Walks the records of a batch without making objects of them: this runs for every record that is produced. A record is a
 * length, attributes, timestamp delta, offset delta, key, value and headers, lengths and deltas as zigzag varints.
 */

export interface RecordWalk {
  /** Undefined when the records are what the header says. */
  readonly problem: string | undefined
  /** Index of the record that the problem is about. */
  readonly at: number
}

const fine: RecordWalk = { problem: undefined, at: -1 }

class Cursor {
  readonly bytes: Buffer
  position: number
  failed = false

  constructor(bytes: Buffer, position: number) {
    this.bytes = bytes
    this.position = position
  }

  /** A zigzag varint of up to 32 bits; sets `failed` instead of throwing. */
  varint(): number {
    const { bytes } = this
    let at = this.position
    const first = bytes[at++]
    if (first === undefined) return this.#fail()
    if (first < 0x80) {
      this.position = at
      return (first >>> 1) ^ -(first & 1)
    }
    let value = first & 0x7f
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined) return this.#fail()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        this.position = at
        return (value >>> 1) ^ -(value & 1)
      }
    }
    return this.#fail()
  }

  /** A varint of up to 64 bits whose value is not needed. */
  skipVarlong(): void {
    for (let i = 0; i < 10; i++) {
      const byte = this.bytes[this.position++]
      if (byte === undefined) break
      if (byte < 0x80) return
    }
    this.#fail()
  }

  #fail(): number {
    this.failed = true
    return -1
  }
}

/** Checks that `bytes[from, to)` holds just `count` well-formed records with offset deltas 0, 1, 2 … */
export function walkRecords(
  bytes: Buffer,
  options: { from: number; to: number; count: number; needsKeys: boolean },
): RecordWalk {
  const { from, to, count, needsKeys } = options
  const cursor = new Cursor(bytes, from)
  for (let index = 0; index < count; index++) {
    const length = cursor.varint()
    const end = cursor.position + length
    if (cursor.failed || length < 0 || end > to) return { problem: 'is cut off', at: index }
    cursor.position++
    cursor.skipVarlong()
    if (cursor.varint() !== index) return { problem: 'has an offset out of order', at: index }
    const keyLength = cursor.varint()
    if (needsKeys && keyLength < 0) return { problem: 'has no key', at: index }
    if (keyLength > 0) cursor.position += keyLength
    const valueLength = cursor.varint()
    if (valueLength > 0) cursor.position += valueLength
    if (!skipHeaders(cursor, end) || cursor.position !== end) {
      return { problem: 'is malformed', at: index }
    }
  }
  return cursor.position === to ? fine : { problem: 'is followed by other bytes', at: count - 1 }
}

function skipHeaders(cursor: Cursor, end: number): boolean {
  const headers = cursor.varint()
  if (headers < 0) return false
  for (let i = 0; i < headers; i++) {
    const keyLength = cursor.varint()
    if (keyLength < 0) return false
    cursor.position += keyLength
    const valueLength = cursor.varint()
    if (valueLength > 0) cursor.position += valueLength
    if (cursor.failed || cursor.position > end) return false
  }
  return !cursor.failed
}
