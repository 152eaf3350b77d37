/**
 * The fixed header of record batch v2, read and patched in place: on the hot path nothing else of a batch is touched.
 * Layout: baseOffset 8, length 4, partitionLeaderEpoch 4, magic 1, crc 4, attributes 2, lastOffsetDelta 4, baseTimestamp 8,
 * maxTimestamp 8, producerId 8, producerEpoch 2, baseSequence 4, record count 4. The CRC-32C covers attributes to end, so
 * base offset and leader epoch are ours to write.
 */
import { crc32c } from '@naru/base'
import { attributeBits } from './attributes.ts'

export const batchHeaderBytes = 61
/** Bytes before the part that the length field counts. */
export const batchLogOverheadBytes = 12
export const noTimestamp = -1n
export const noProducerId = -1n
export const noSequence = -1

export const magicPosition = 16
const crcPosition = 17
const attributesPosition = 21

export interface BatchHeader {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  /** Whole batch, header included. */
  readonly sizeBytes: number
  readonly leaderEpoch: number
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly baseTimestamp: bigint
  readonly maxTimestamp: bigint
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly recordCount: number
}

/** Reads the header at `at`, which the caller has checked to hold {@link batchHeaderBytes} bytes of a batch with magic 2. */
export function readBatchHeader(buffer: Buffer, at = 0): BatchHeader {
  const baseOffset = buffer.readBigInt64BE(at)
  const lastOffsetDelta = buffer.readInt32BE(at + 23)
  return {
    baseOffset,
    lastOffset: baseOffset + BigInt(lastOffsetDelta),
    sizeBytes: batchSizeAt(buffer, at),
    leaderEpoch: buffer.readInt32BE(at + 12),
    attributes: buffer.readInt16BE(at + attributesPosition),
    lastOffsetDelta,
    baseTimestamp: buffer.readBigInt64BE(at + 27),
    maxTimestamp: buffer.readBigInt64BE(at + 35),
    producerId: buffer.readBigInt64BE(at + 43),
    producerEpoch: buffer.readInt16BE(at + 51),
    baseSequence: buffer.readInt32BE(at + 53),
    recordCount: buffer.readInt32BE(at + 57),
  }
}

export function baseOffsetAt(buffer: Buffer, at: number): bigint {
  return buffer.readBigInt64BE(at)
}

export function lastOffsetAt(buffer: Buffer, at: number): bigint {
  return buffer.readBigInt64BE(at) + BigInt(buffer.readInt32BE(at + 23))
}

/** Whole size of the batch at `at`, from its length field: not to be trusted before it is checked against what is there. */
export function batchSizeAt(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at + 8) + batchLogOverheadBytes
}

export function magicAt(buffer: Buffer, at: number): number {
  return buffer.readInt8(at + magicPosition)
}

export function attributesAt(buffer: Buffer, at: number): number {
  return buffer.readInt16BE(at + attributesPosition)
}

export function maxTimestampAt(buffer: Buffer, at: number): bigint {
  return buffer.readBigInt64BE(at + 35)
}

export function leaderEpochAt(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at + 12)
}

/** Whether the checksum of the batch that fills `buffer[at, at + sizeBytes)` is right. */
export function isCrcValid(buffer: Buffer, at: number, sizeBytes: number): boolean {
  const covered = buffer.subarray(at + attributesPosition, at + sizeBytes)
  return crc32c(covered) === buffer.readUInt32BE(at + crcPosition)
}

/** Writes what the leader decides: outside the checksum, so the records stay as the producer made them. */
export function assignOffset(
  buffer: Buffer,
  at: number,
  { baseOffset, leaderEpoch }: { baseOffset: bigint; leaderEpoch: number },
): void {
  buffer.writeBigInt64BE(baseOffset, at)
  buffer.writeInt32BE(leaderEpoch, at + 12)
}

/** Turns a batch into LogAppendTime: sets attribute bit 3 and the maximum timestamp, and computes the checksum anew. */
export function assignLogAppendTime(
  buffer: Buffer,
  at: number,
  sizeBytes: number,
  nowMs: bigint,
): void {
  const attributes = attributesAt(buffer, at) | attributeBits.logAppendTime
  assignTimestamps(buffer, { at, sizeBytes, attributes, maxTimestamp: nowMs })
}

/** Makes the header say what the records say: their own timestamps, the largest of which is `maxTimestamp`. */
export function assignCreateTime(
  buffer: Buffer,
  at: number,
  sizeBytes: number,
  maxTimestamp: bigint,
): void {
  const attributes = attributesAt(buffer, at) & ~attributeBits.logAppendTime
  assignTimestamps(buffer, { at, sizeBytes, attributes, maxTimestamp })
}

function assignTimestamps(
  buffer: Buffer,
  batch: { at: number; sizeBytes: number; attributes: number; maxTimestamp: bigint },
): void {
  const { at, sizeBytes } = batch
  buffer.writeInt16BE(batch.attributes, at + attributesPosition)
  buffer.writeBigInt64BE(batch.maxTimestamp, at + 35)
  const covered = buffer.subarray(at + attributesPosition, at + sizeBytes)
  buffer.writeUInt32BE(crc32c(covered), at + crcPosition)
}
