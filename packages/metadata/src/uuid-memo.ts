/**
 * The text of UUIDs that come again and again: the directories of all partitions are a few, and the partitions of a topic follow
 * each other. To make the text costs ten times as much as to look it up, and each would be kept in memory by itself.
 */
import { assert, type ByteReader, type ByteWriter } from '@naru/base'
import { topicIdFromBytes, topicIdToBytes } from '@naru/model'

const uuidBytes = 16
/** A power of two. A place is taken over by whoever comes last. */
const places = 1_024

interface Known {
  readonly bytes: Buffer
  readonly text: string
}

const memo: (Known | undefined)[] = new Array(places).fill(undefined)
const bytesOf = new Map<string, Buffer>()

export function readUuid(reader: ByteReader): string {
  const { buffer } = reader
  const from = reader.take(uuidBytes)
  const place = placeOf(buffer, from)
  const known = memo[place]
  if (known !== undefined && isAt(known.bytes, buffer, from)) return known.text
  // A copy: a view would keep all of what it was read from.
  const bytes = Buffer.from(buffer.subarray(from, from + uuidBytes))
  const text = topicIdFromBytes(bytes)
  memo[place] = { bytes, text }
  return text
}

export function writeUuid(writer: ByteWriter, text: string): void {
  let bytes = bytesOf.get(text)
  if (bytes === undefined) {
    bytes = topicIdToBytes(text)
    assert(bytes.length === uuidBytes, `${text} is no UUID`)
    if (bytesOf.size >= places) bytesOf.clear()
    bytesOf.set(text, bytes)
  }
  writer.bytes(bytes)
}

/** UUIDs are random, except those of tests, which count in the last bytes. */
function placeOf(buffer: Buffer, from: number): number {
  const last = from + uuidBytes - 1
  return ((buffer[last - 1] as number) * 256 + (buffer[last] as number)) & (places - 1)
}

function isAt(known: Buffer, buffer: Buffer, from: number): boolean {
  for (let at = 0; at < uuidBytes; at++) if (known[at] !== buffer[from + at]) return false
  return true
}
