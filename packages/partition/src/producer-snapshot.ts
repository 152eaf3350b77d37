/**
 * The `.snapshot` file: Kafka's format, version 1. A version, a CRC-32C of what follows it, a count, then for each producer its
 * id, epoch, last sequence, last offset, offset delta, timestamp, coordinator epoch and first offset of an open transaction.
 * It holds the last batch of each producer only: as in Kafka, earlier ones are remembered from the replay of the log.
 */
import { ByteReader, ByteWriter, crc32c, DecodeError } from '@naru/base'
import type { AppendedBatch, ProducerEntry } from './producer-state.ts'

const version = 1
const headerBytes = 6
const entryBytes = 46

export function encodeProducerSnapshot(producers: Iterable<ProducerEntry>): Buffer {
  const body = new ByteWriter(64)
  let count = 0
  for (const entry of producers) {
    count++
    const last = entry.batches.at(-1)
    body.int64(entry.producerId)
    body.int16(entry.epoch)
    body.int32(last?.lastSequence ?? -1)
    body.int64(last?.lastOffset ?? -1n)
    body.int32(last === undefined ? 0 : Number(last.lastOffset - last.baseOffset))
    body.int64(entry.lastTimestamp)
    body.int32(-1)
    body.int64(-1n)
  }
  const bytes = Buffer.alloc(headerBytes + 4 + count * entryBytes)
  bytes.writeInt16BE(version, 0)
  bytes.writeInt32BE(count, headerBytes)
  body.finish().copy(bytes, headerBytes + 4)
  bytes.writeUInt32BE(crc32c(bytes.subarray(headerBytes)), 2)
  return bytes
}

/** Throws DecodeError when the bytes are not an undamaged snapshot. */
export function decodeProducerSnapshot(bytes: Buffer): ProducerEntry[] {
  const reader = new ByteReader(bytes)
  const found = reader.int16()
  if (found !== version) throw new DecodeError(`Producer snapshot has version ${found}`)
  if (reader.uint32() !== crc32c(bytes.subarray(headerBytes))) {
    throw new DecodeError('The checksum of the producer snapshot is wrong')
  }
  const count = reader.int32()
  if (count < 0 || count * entryBytes !== reader.remaining) {
    throw new DecodeError(`Producer snapshot does not hold ${count} producers`)
  }
  const entries: ProducerEntry[] = []
  for (let i = 0; i < count; i++) entries.push(readEntry(reader))
  return entries
}

function readEntry(reader: ByteReader): ProducerEntry {
  const producerId = reader.int64()
  const epoch = reader.int16()
  const lastSequence = reader.int32()
  const lastOffset = reader.int64()
  const offsetDelta = reader.int32()
  const timestamp = reader.int64()
  reader.int32()
  reader.int64()
  const batches: AppendedBatch[] = []
  if (lastOffset >= 0n) {
    const first = lastSequence - offsetDelta
    batches.push({
      baseSequence: first < 0 ? first + 0x80000000 : first,
      lastSequence,
      baseOffset: lastOffset - BigInt(offsetDelta),
      lastOffset,
      timestamp,
    })
  }
  return { producerId, epoch, batches, lastTimestamp: timestamp }
}
