/** Whole batches as objects: for clients, look-ups by timestamp and tests. The broker's hot path reads headers only. */
import { ByteReader, ByteWriter, crc32c, DecodeError } from '@naru/base'
import { attributeBits, compressionOf, hasLogAppendTime } from './attributes.ts'
import {
  type BatchHeader,
  batchHeaderBytes,
  batchSizeAt,
  noProducerId,
  noSequence,
  readBatchHeader,
} from './batch-header.ts'
import { type CompressionType, compress, compressionTypes, decompress } from './compression.ts'
import { decompressedBytesMax } from './validate-batch.ts'

export interface RecordHeader {
  readonly key: string
  readonly value: Buffer | null
}

export interface Record {
  readonly key: Buffer | null
  /** Null is a tombstone. */
  readonly value: Buffer | null
  readonly headers: readonly RecordHeader[]
  /** Milliseconds since the epoch. */
  readonly timestamp: bigint
}

export interface StoredRecord extends Record {
  readonly offset: bigint
}

export interface BatchOptions {
  readonly baseOffset?: bigint
  readonly leaderEpoch?: number
  readonly compression?: CompressionType
  readonly producerId?: bigint
  readonly producerEpoch?: number
  readonly baseSequence?: number
  readonly isTransactional?: boolean
}

/** Encodes at least one record as a batch. */
export function encodeBatch(records: readonly Record[], options: BatchOptions = {}): Buffer {
  const compression = options.compression ?? 'none'
  const baseTimestamp = records[0]?.timestamp ?? -1n
  let maxTimestamp = baseTimestamp
  const body = new ByteWriter(1024)
  for (const [delta, record] of records.entries()) {
    if (record.timestamp > maxTimestamp) maxTimestamp = record.timestamp
    writeRecord(body, record, { delta, baseTimestamp })
  }
  const content = compress(compression, body.finish())
  const batch = Buffer.alloc(batchHeaderBytes + content.length)
  content.copy(batch, batchHeaderBytes)
  batch.writeBigInt64BE(options.baseOffset ?? 0n, 0)
  batch.writeInt32BE(batch.length - 12, 8)
  batch.writeInt32BE(options.leaderEpoch ?? -1, 12)
  batch.writeInt8(2, 16)
  const transactional = options.isTransactional === true ? attributeBits.transactional : 0
  batch.writeInt16BE(compressionTypes.indexOf(compression) | transactional, 21)
  batch.writeInt32BE(records.length - 1, 23)
  batch.writeBigInt64BE(baseTimestamp, 27)
  batch.writeBigInt64BE(maxTimestamp, 35)
  batch.writeBigInt64BE(options.producerId ?? noProducerId, 43)
  batch.writeInt16BE(options.producerEpoch ?? -1, 51)
  batch.writeInt32BE(options.baseSequence ?? noSequence, 53)
  batch.writeInt32BE(records.length, 57)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return batch
}

function writeRecord(
  writer: ByteWriter,
  record: Record,
  { delta, baseTimestamp }: { delta: number; baseTimestamp: bigint },
): void {
  const body = writer.nested()
  body.int8(0)
  body.varlong(record.timestamp - baseTimestamp)
  body.varint(delta)
  writeNullable(body, record.key)
  writeNullable(body, record.value)
  body.varint(record.headers.length)
  for (const header of record.headers) {
    body.varint(Buffer.byteLength(header.key))
    body.utf8(header.key)
    writeNullable(body, header.value)
  }
  const encoded = body.finish()
  writer.varint(encoded.length)
  writer.bytes(encoded)
}

function writeNullable(writer: ByteWriter, value: Buffer | null): void {
  writer.varint(value === null ? -1 : value.length)
  if (value !== null) writer.bytes(value)
}

/** The records of a batch, decoded one by one as they are asked for. Throws DecodeError when they are malformed. */
export function* recordsOf(
  batch: Buffer,
  header = readBatchHeader(batch),
): Generator<StoredRecord> {
  const type = compressionOf(header.attributes)
  if (type === undefined) throw new DecodeError('The compression is unknown')
  const body = decompress(type, batch.subarray(batchHeaderBytes), decompressedBytesMax)
  const reader = new ByteReader(body)
  for (let i = 0; i < header.recordCount; i++) yield readRecord(reader, header)
}

function readRecord(reader: ByteReader, header: BatchHeader): StoredRecord {
  reader.varint()
  reader.int8()
  const timestampDelta = reader.varlong()
  const offset = header.baseOffset + BigInt(reader.varint())
  const key = readNullable(reader)
  const value = readNullable(reader)
  const count = reader.varint()
  if (count < 0 || count > reader.remaining) throw new DecodeError(`Record has ${count} headers`)
  const headers: RecordHeader[] = []
  for (let i = 0; i < count; i++) {
    headers.push({ key: reader.utf8(reader.varint()), value: readNullable(reader) })
  }
  const timestamp = hasLogAppendTime(header.attributes)
    ? header.maxTimestamp
    : header.baseTimestamp + timestampDelta
  return { offset, timestamp, key, value, headers }
}

function readNullable(reader: ByteReader): Buffer | null {
  const length = reader.varint()
  return length < 0 ? null : reader.bytes(length)
}

/** Splits bytes of a log or of a Fetch response into batches; a batch that is cut off at the end is left out. */
export function* batchesOf(bytes: Buffer): Generator<Buffer> {
  let at = 0
  while (at + batchHeaderBytes <= bytes.length) {
    const size = batchSizeAt(bytes, at)
    if (size < batchHeaderBytes) throw new DecodeError(`Batch of ${size} bytes`)
    if (at + size > bytes.length) return
    yield bytes.subarray(at, at + size)
    at += size
  }
}

/** The first record of a batch that is at or after both a timestamp and an offset. */
export function firstRecordSince(
  batch: Buffer,
  { timestamp, offset }: { timestamp: bigint; offset: bigint },
): StoredRecord | undefined {
  for (const record of recordsOf(batch)) {
    if (record.timestamp >= timestamp && record.offset >= offset) return record
  }
  return undefined
}

/** The first record of a batch that has the batch's largest timestamp. */
export function newestRecord(batch: Buffer): StoredRecord | undefined {
  let newest: StoredRecord | undefined
  for (const record of recordsOf(batch)) {
    if (newest === undefined || record.timestamp > newest.timestamp) newest = record
  }
  return newest
}

/** The same records with another codec, offsets and producer fields kept. */
export function recompressBatch(batch: Buffer, compression: CompressionType): Buffer {
  const header = readBatchHeader(batch)
  if (compressionOf(header.attributes) === compression) return batch
  return encodeBatch([...recordsOf(batch, header)], {
    ...header,
    compression,
    isTransactional: (header.attributes & attributeBits.transactional) !== 0,
  })
}
