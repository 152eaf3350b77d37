import { DecodeError } from '@naru/base'
import { type KafkaError, kafkaErrors } from '@naru/model'
import { compressionOf, hasLogAppendTime, isControl } from './attributes.ts'
import {
  attributesAt,
  type BatchHeader,
  baseOffsetAt,
  batchHeaderBytes,
  batchLogOverheadBytes,
  batchSizeAt,
  isCrcValid,
  magicAt,
  magicPosition,
  noProducerId,
  noTimestamp,
  readBatchHeader,
} from './batch-header.ts'
import { decompress } from './compression.ts'
import { type RecordWalk, timestampDeltasOf, walkRecords } from './record-walk.ts'

/** Most bytes that one batch may decompress to: more is a bomb, not a message. */
export const decompressedBytesMax = 128 << 20

export interface ValidationRules {
  /** Of the Produce request: zstd needs 7. */
  readonly produceVersion: number
  readonly maxMessageBytes: number
  readonly needsKeys: boolean
  /** Undefined for topics that stamp records themselves. */
  readonly timestamps: { nowMs: bigint; beforeMaxMs: bigint; afterMaxMs: bigint } | undefined
}

export interface BatchRefusal {
  readonly error: KafkaError
  readonly message: string
  /** The records that are to blame, where the batch as such is sound. */
  readonly records?: readonly RefusedRecord[]
}

export interface RefusedRecord {
  readonly index: number
  readonly message: string
}

export type Validation =
  | {
      readonly header: BatchHeader
      /** Of the records themselves: the header is the client's word only. */
      readonly newestTimestamp: bigint
      readonly refusal?: undefined
    }
  | { readonly refusal: BatchRefusal }

/** Of a batch whose records are wrong one by one, so many are named. */
const namedRecordsMax = 1_000
/** A length field below it cannot be that of any batch, however old its format. */
const lengthMin = 14

/**
 * Checks the records of one partition in a Produce request as Kafka's broker does: exactly one batch, undamaged, with the
 * records that its header promises. Compressed batches are decompressed for it and stored as they came.
 */
export function validateBatch(bytes: Buffer, rules: ValidationRules): Validation {
  const structure = checkStructure(bytes, rules)
  if (structure !== undefined) return { refusal: structure }
  const header = readBatchHeader(bytes)
  const refusal = checkHeader(header)
  if (refusal !== undefined) return { refusal }
  const records = recordsOf(bytes, header)
  if ('error' in records) return { refusal: records }
  const { bytes: content, from, to } = records
  const { needsKeys } = rules
  const walk = walkRecords(content, { from, to, count: header.recordCount, needsKeys })
  if (walk.problem !== undefined) {
    return { refusal: invalid(`Record ${walk.at} ${walk.problem}`) }
  }
  const refused = areTimely(header, rules, walk)
    ? undefined
    : checkTimestamps(header, rules, records)
  if (refused !== undefined) return { refusal: refused }
  return { header, newestTimestamp: newestOf(header, walk) }
}

function refuse(error: KafkaError, message: string): BatchRefusal {
  return { error, message }
}

/** A batch that will not become better when it is sent again. */
function invalid(message: string): BatchRefusal {
  return refuse(kafkaErrors.INVALID_RECORD, message)
}

/** What is not there at all is invalid; what is there and cannot be read is corrupt, and may have been damaged on its way. */
function checkStructure(bytes: Buffer, rules: ValidationRules): BatchRefusal | undefined {
  if (bytes.length < batchLogOverheadBytes) return invalid('There is no batch')
  const size = batchSizeAt(bytes, 0)
  if (size < batchLogOverheadBytes + lengthMin) {
    return refuse(kafkaErrors.CORRUPT_MESSAGE, `A batch cannot have ${size} bytes`)
  }
  if (bytes.length <= magicPosition) return invalid('The batch is cut off')
  const magic = magicAt(bytes, 0)
  if (magic < 0 || magic > 2) {
    return refuse(kafkaErrors.CORRUPT_MESSAGE, `Message format ${magic} is not known`)
  }
  if (size > bytes.length) return invalid('The batch is cut off')
  if (magic !== 2) return invalid(`Message format v${magic} is not taken`)
  if (size < batchHeaderBytes) {
    return refuse(kafkaErrors.CORRUPT_MESSAGE, `A batch cannot have ${size} bytes`)
  }
  if (rules.produceVersion < 7 && compressionOf(attributesAt(bytes, 0)) === 'zstd') {
    return refuse(kafkaErrors.UNSUPPORTED_COMPRESSION_TYPE, 'zstd needs Produce version 7')
  }
  if (size < bytes.length) return invalid('A request carries one batch for each partition')
  if (baseOffsetAt(bytes, 0) !== 0n) return invalid('A new batch has the base offset 0')
  if (size > rules.maxMessageBytes) return tooLarge(size, rules.maxMessageBytes)
  if (isCrcValid(bytes, 0, size)) return undefined
  return refuse(kafkaErrors.CORRUPT_MESSAGE, 'The checksum of the batch is wrong')
}

export function tooLarge(size: number, maxMessageBytes: number): BatchRefusal {
  const limit = `max.message.bytes is ${maxMessageBytes}`
  return refuse(kafkaErrors.MESSAGE_TOO_LARGE, `The batch has ${size} bytes: ${limit}`)
}

function checkHeader(header: BatchHeader): BatchRefusal | undefined {
  const { attributes, recordCount, lastOffsetDelta, producerId } = header
  if (recordCount <= 0 || recordCount !== lastOffsetDelta + 1) {
    const counts = `${recordCount} records and last offset delta ${lastOffsetDelta}`
    return invalid(`The batch has ${counts}`)
  }
  if (isControl(attributes)) return invalid('Clients do not write control batches')
  if (producerId !== noProducerId && header.baseSequence < 0) {
    return invalid(`Sequence ${header.baseSequence} of producer ${producerId} is negative`)
  }
  return undefined
}

interface RecordsPart {
  readonly bytes: Buffer
  readonly from: number
  readonly to: number
}

function recordsOf(bytes: Buffer, header: BatchHeader): RecordsPart | BatchRefusal {
  const type = compressionOf(header.attributes)
  if (type === undefined) {
    const message = `Compression ${header.attributes & 7} is not known`
    return refuse(kafkaErrors.UNSUPPORTED_COMPRESSION_TYPE, message)
  }
  if (type === 'none') return { bytes, from: batchHeaderBytes, to: bytes.length }
  try {
    const content = decompress(type, bytes.subarray(batchHeaderBytes), decompressedBytesMax)
    return { bytes: content, from: 0, to: content.length }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return invalid(error.message)
  }
}

function newestOf(header: BatchHeader, { newestDelta }: RecordWalk): bigint {
  if (hasLogAppendTime(header.attributes)) return header.maxTimestamp
  return header.baseTimestamp + BigInt(newestDelta)
}

/** Whether the oldest and the newest record speak for all between them. */
function areTimely(header: BatchHeader, rules: ValidationRules, walk: RecordWalk): boolean {
  const { timestamps } = rules
  const isStamped = hasLogAppendTime(header.attributes)
  if (timestamps === undefined) return !isStamped
  if (isStamped) return untimely(header.maxTimestamp, timestamps) === undefined
  const { oldestDelta, newestDelta } = walk
  if (!Number.isSafeInteger(oldestDelta) || !Number.isSafeInteger(newestDelta)) return false
  const isNewestFine = untimely(newestOf(header, walk), timestamps) === undefined
  if (oldestDelta === newestDelta || !isNewestFine) return isNewestFine
  const oldest = header.baseTimestamp + BigInt(oldestDelta)
  // A record without a timestamp is older than all, and says nothing about the others.
  return oldest !== noTimestamp && untimely(oldest, timestamps) === undefined
}

/** Looks at each record, and names those whose timestamps make the batch refused. */
function checkTimestamps(
  header: BatchHeader,
  { timestamps }: ValidationRules,
  { bytes, from }: RecordsPart,
): BatchRefusal | undefined {
  const isStamped = hasLogAppendTime(header.attributes)
  const records: RefusedRecord[] = []
  let isExact = true
  let index = 0
  for (const delta of timestampDeltasOf(bytes, { from, count: header.recordCount })) {
    const timestamp = isStamped ? header.maxTimestamp : header.baseTimestamp + BigInt(delta)
    const message =
      timestamps === undefined
        ? 'Only the broker stamps records with LogAppendTime'
        : untimely(timestamp, timestamps)
    isExact &&= isStamped || Number.isSafeInteger(delta)
    if (message !== undefined) records.push({ index, message })
    if (records.length === namedRecordsMax) break
    index++
  }
  if (records.length === 0 && isExact) return undefined
  const message = records[0]?.message ?? 'A timestamp is beyond all bounds'
  return { ...refuse(kafkaErrors.INVALID_TIMESTAMP, message), records }
}

/** Why a record cannot have this timestamp; undefined when it can. */
function untimely(
  timestamp: bigint,
  { nowMs, beforeMaxMs, afterMaxMs }: NonNullable<ValidationRules['timestamps']>,
): string | undefined {
  if (timestamp === noTimestamp) return undefined
  if (nowMs - timestamp > beforeMaxMs) {
    return `Timestamp ${timestamp} is older than message.timestamp.before.max.ms allows`
  }
  if (timestamp - nowMs <= afterMaxMs) return undefined
  return `Timestamp ${timestamp} is further ahead than message.timestamp.after.max.ms allows`
}
