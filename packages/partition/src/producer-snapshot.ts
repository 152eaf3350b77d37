/**
 * The `.snapshot` file: Kafka's format, version 1. A version, a CRC-32C of what follows it, a count, then for each producer its
 * id, epoch, last sequence, last offset, offset delta, timestamp, coordinator epoch and first offset of an open transaction.
 * That is the last batch of each producer only. The batches before it follow, where Kafka reads no more: a producer that has several in
 * flight may repeat any of them to a leader that has just started, and has to hear that they are there.
 */
import { ByteReader, ByteWriter, crc32c, DecodeError } from '@naru/base'
import { type AppendedBatch, type ProducerEntry, rememberedBatches } from './producer-state.ts'

const version = 1
const headerBytes = 6
const entryBytes = 46

export function encodeProducerSnapshot(producers: Iterable<ProducerEntry>): Buffer {
  const body = new ByteWriter(64)
  const earlier = new ByteWriter(64)
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
    writeBatches(earlier, entry.batches.slice(0, -1))
  }
  const head = Buffer.alloc(headerBytes + 4)
  head.writeInt16BE(version, 0)
  head.writeInt32BE(count, headerBytes)
  const bytes = Buffer.concat([head, body.finish(), earlier.finish()])
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
  if (count < 0 || count * entryBytes > reader.remaining) {
    throw new DecodeError(`Producer snapshot does not hold ${count} producers`)
  }
  const entries: ProducerEntry[] = []
  for (let i = 0; i < count; i++) entries.push(readEntry(reader))
  // Kafka and earlier versions end here.
  if (reader.remaining === 0) return entries
  for (const entry of entries) entry.batches.unshift(...readBatches(reader))
  if (reader.remaining > 0) throw new DecodeError('Something follows the producer snapshot')
  return entries
}

function writeBatches(writer: ByteWriter, batches: readonly AppendedBatch[]): void {
  writer.int8(batches.length)
  for (const batch of batches) {
    writer.int32(batch.baseSequence)
    writer.int32(batch.lastSequence)
    writer.int64(batch.baseOffset)
    writer.int64(batch.lastOffset)
    writer.int64(batch.timestamp)
  }
}

function readBatches(reader: ByteReader): AppendedBatch[] {
  const count = reader.int8()
  if (count < 0 || count >= rememberedBatches) {
    throw new DecodeError(`A producer has ${count} earlier batches`)
  }
  return Array.from({ length: count }, () => ({
    baseSequence: reader.int32(),
    lastSequence: reader.int32(),
    baseOffset: reader.int64(),
    lastOffset: reader.int64(),
    timestamp: reader.int64(),
  }))
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
