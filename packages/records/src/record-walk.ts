/**
 * Walks the records of a batch without making objects of them: this runs for every record that is produced. A record is a
 * length, attributes, timestamp delta, offset delta, key, value and headers, lengths and deltas as zigzag varints.
 */

export interface RecordWalk {
  /** Undefined when the records are what the header says. */
  readonly problem: string | undefined
  /** Index of the record that the problem is about. */
  readonly at: number
  /** Smallest and largest timestamp, as distances from the base timestamp, where there is no problem. Exact up to 2^53. */
  readonly oldestDelta: number
  readonly newestDelta: number
}

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

  /** A zigzag varint of up to 64 bits. */
  varlong(): number {
    const { bytes } = this
    let at = this.position
    const first = bytes[at]
    if (first !== undefined && first < 0x80) {
      this.position++
      return (first >>> 1) ^ -(first & 1)
    }
    let value = 0
    let unit = 1
    for (let i = 0; i < 10; i++) {
      const byte = bytes[at++]
      if (byte === undefined) break
      value += (byte & 0x7f) * unit
      if (byte < 0x80) {
        this.position = at
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2
      }
      unit *= 128
    }
    return this.#fail()
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
  let oldestDelta = Number.POSITIVE_INFINITY
  let newestDelta = Number.NEGATIVE_INFINITY
  for (let index = 0; index < count; index++) {
    const length = cursor.varint()
    const end = cursor.position + length
    if (cursor.failed || length < 0 || end > to) return wrong('is cut off', index)
    cursor.position++
    const timestampDelta = cursor.varlong()
    if (timestampDelta < oldestDelta) oldestDelta = timestampDelta
    if (timestampDelta > newestDelta) newestDelta = timestampDelta
    if (cursor.varint() !== index) return wrong('has an offset out of order', index)
    const keyLength = cursor.varint()
    if (needsKeys && keyLength < 0) return wrong('has no key', index)
    if (keyLength > 0) cursor.position += keyLength
    const valueLength = cursor.varint()
    if (valueLength > 0) cursor.position += valueLength
    if (!skipHeaders(cursor, end) || cursor.position !== end) return wrong('is malformed', index)
  }
  if (cursor.position !== to) return wrong('is followed by other bytes', count - 1)
  return { problem: undefined, at: -1, oldestDelta, newestDelta }
}

function wrong(problem: string, at: number): RecordWalk {
  return { problem, at, oldestDelta: 0, newestDelta: 0 }
}

/** The distance of each record's timestamp from the base timestamp; the records are known to be well-formed. */
export function* timestampDeltasOf(
  bytes: Buffer,
  { from, count }: { from: number; count: number },
): Generator<number> {
  const cursor = new Cursor(bytes, from)
  for (let index = 0; index < count; index++) {
    const length = cursor.varint()
    const end = cursor.position + length
    cursor.position++
    yield cursor.varlong()
    cursor.position = end
  }
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
