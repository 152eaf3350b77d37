/**
 * A log entry as a value of the store: term (8), CRC-32C of all that follows (4), then a mark, the kind, the hash of the entry before
 * (4) and the payload. The hashes form a chain, so an entry of another history cannot pass for one of this.
 * Values without the mark are those of the one-broker log: term, CRC, payload.
 */
import { crc32c, DecodeError } from '@naru/base'
import type { Entry, ReplicaKey } from '@naru/raft'

const headerBytes = 12
const chainedBytes = 3 + 4
/** No payload of the one-broker log begins so: it would be a varint that is not the shortest of its value. */
const mark = 0x8000
const kinds = ['data', 'noop', 'voters'] as const

export interface StoredEntry {
  readonly entry: Entry
  /** Stands for the log up to here. */
  readonly hash: number
}

export function encodeEntry(entry: Entry, previousHash: number): { value: Buffer; hash: number } {
  const payload = payloadOf(entry)
  const value = Buffer.allocUnsafe(headerBytes + chainedBytes + payload.length)
  value.writeBigUInt64BE(entry.term, 0)
  value.writeUInt16BE(mark, headerBytes)
  value.writeUInt8(kinds.indexOf(entry.kind), headerBytes + 2)
  value.writeUInt32BE(previousHash, headerBytes + 3)
  payload.copy(value, headerBytes + chainedBytes)
  value.writeUInt32BE(crc32c(value.subarray(headerBytes)), 8)
  return { value, hash: hashOf(value) }
}

/** Throws DecodeError when the bytes are damaged or do not follow the entry that `previousHash` stands for; undefined is not checked. */
export function decodeEntry(
  index: bigint,
  value: Buffer,
  previousHash: number | undefined,
): StoredEntry {
  if (value.length < headerBytes || crc32c(value.subarray(headerBytes)) !== value.readUInt32BE(8)) {
    throw new DecodeError(`Entry ${index} is damaged`)
  }
  const term = value.readBigUInt64BE(0)
  const hash = hashOf(value)
  if (value.length < headerBytes + chainedBytes || value.readUInt16BE(headerBytes) !== mark) {
    return { entry: { index, term, kind: 'data', payload: value.subarray(headerBytes) }, hash }
  }
  const found = value.readUInt32BE(headerBytes + 3)
  if (found !== (previousHash ?? found)) {
    throw new DecodeError(`Entry ${index} does not follow the one before it`)
  }
  const kind = kinds[value.readUInt8(headerBytes + 2)]
  const payload = value.subarray(headerBytes + chainedBytes)
  return { entry: entryOf({ index, term }, kind, payload), hash }
}

function hashOf(value: Buffer): number {
  return crc32c(value)
}

function payloadOf(entry: Entry): Buffer {
  if (entry.kind === 'data') return entry.payload
  return entry.kind === 'voters' ? encodeVoters(entry.voters) : Buffer.alloc(0)
}

function entryOf(
  place: { index: bigint; term: bigint },
  kind: (typeof kinds)[number] | undefined,
  payload: Buffer,
): Entry {
  if (kind === 'data') return { ...place, kind, payload }
  if (kind === 'noop') return { ...place, kind }
  if (kind === undefined) throw new DecodeError(`Entry ${place.index} is of a later version`)
  return { ...place, kind, voters: decodeVoters(payload) }
}

export function encodeVoters(voters: readonly ReplicaKey[]): Buffer {
  return Buffer.from(voters.join('\n'))
}

export function decodeVoters(bytes: Buffer): ReplicaKey[] {
  return bytes.length === 0 ? [] : bytes.toString().split('\n')
}
