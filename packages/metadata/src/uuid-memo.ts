/**
 * The text of UUIDs that come again and again: the directories of all partitions are a few, and the partitions of a topic follow
 * each other. To make the text costs ten times as much as to look it up, and each would be kept in memory by itself.
 */
import { assert, type ByteReader, type ByteWriter } from '@naru/base'
import { topicIdToBytes } from '@naru/model'

const uuidBytes = 16
/** A power of two. A place is taken over by whoever comes last. */
const places = 1_024

/** By place: bytes and text. */
const knownBytes = new Uint8Array(places * uuidBytes)
const knownTexts: (string | undefined)[] = new Array(places).fill(undefined)
const bytesOf = new Map<string, Buffer>()

export function readUuid(reader: ByteReader): string {
  const { buffer } = reader
  const from = reader.take(uuidBytes)
  const place = placeOf(buffer, from)
  const at = place * uuidBytes
  const known = knownTexts[place]
  if (known !== undefined && isKnown(at, buffer, from)) return known
  for (let byte = 0; byte < uuidBytes; byte++) {
    knownBytes[at + byte] = buffer[from + byte] as number
  }
  const text = buffer.toString('base64url', from, from + uuidBytes)
  knownTexts[place] = text
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

function isKnown(at: number, buffer: Buffer, from: number): boolean {
  for (let byte = 0; byte < uuidBytes; byte++) {
    if (knownBytes[at + byte] !== buffer[from + byte]) return false
  }
  return true
}
