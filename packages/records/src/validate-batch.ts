import { DecodeError } from '@naru/base'
import { type KafkaError, kafkaErrors } from '@naru/model'
import { compressionOf, isControl } from './attributes.ts'
import {
  type BatchHeader,
  batchHeaderBytes,
  batchSizeAt,
  isCrcValid,
  magicAt,
  noProducerId,
  noTimestamp,
  readBatchHeader,
} from './batch-header.ts'
import { decompress } from './compression.ts'
import { walkRecords } from './record-walk.ts'

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
  /** Index of the record that is to blame. */
  readonly recordIndex?: number
}

export type Validation = { header: BatchHeader; refusal?: undefined } | { refusal: BatchRefusal }

/**
 * Checks the records of one partition in a Produce request as Kafka's broker does: exactly one batch, undamaged, with the
 * records that its header promises. Compressed batches are decompressed for it and stored as they came.
 */
export function validateBatch(bytes: Buffer, rules: ValidationRules): Validation {
  const structure = checkStructure(bytes, rules)
  if (structure !== undefined) return { refusal: structure }
  const header = readBatchHeader(bytes)
  const refusal =
    checkHeader(header, rules) ??
    checkTimestamps(header, rules) ??
    checkRecords(bytes, header, rules)
  return refusal === undefined ? { header } : { refusal }
}

function refuse(error: KafkaError, message: string): BatchRefusal {
  return { error, message }
}

function checkStructure(bytes: Buffer, rules: ValidationRules): BatchRefusal | undefined {
  if (bytes.length < 17) return refuse(kafkaErrors.CORRUPT_MESSAGE, 'The batch is cut off')
  const magic = magicAt(bytes, 0)
  if (magic !== 2) {
    return magic >= 0 && magic < 2
      ? refuse(kafkaErrors.UNSUPPORTED_FOR_MESSAGE_FORMAT, `Message format v${magic} is not taken`)
      : refuse(kafkaErrors.CORRUPT_MESSAGE, `Message format ${magic} is not known`)
  }
  const size = batchSizeAt(bytes, 0)
  if (size < batchHeaderBytes || size > bytes.length) {
    return refuse(kafkaErrors.CORRUPT_MESSAGE, 'The batch is cut off')
  }
  if (size < bytes.length) {
    return refuse(kafkaErrors.INVALID_RECORD, 'A request carries one batch for each partition')
  }
  if (size > rules.maxMessageBytes) {
    const limit = `max.message.bytes is ${rules.maxMessageBytes}`
    return refuse(kafkaErrors.MESSAGE_TOO_LARGE, `The batch has ${size} bytes: ${limit}`)
  }
  if (isCrcValid(bytes, 0, size)) return undefined
  return refuse(kafkaErrors.CORRUPT_MESSAGE, 'The checksum of the batch is wrong')
}

function checkHeader(header: BatchHeader, rules: ValidationRules): BatchRefusal | undefined {
  const { attributes, recordCount, lastOffsetDelta, producerId } = header
  if (recordCount <= 0 || recordCount !== lastOffsetDelta + 1) {
    const counts = `${recordCount} records and last offset delta ${lastOffsetDelta}`
    return refuse(kafkaErrors.INVALID_RECORD, `The batch has ${counts}`)
  }
  const type = compressionOf(attributes)
  if (type === undefined) return refuse(kafkaErrors.CORRUPT_MESSAGE, 'The compression is unknown')
  if (type === 'zstd' && rules.produceVersion < 7) {
    return refuse(kafkaErrors.UNSUPPORTED_COMPRESSION_TYPE, 'zstd needs Produce version 7')
  }
  if (isControl(attributes)) {
    return refuse(kafkaErrors.INVALID_RECORD, 'Clients do not write control batches')
  }
  if (producerId !== noProducerId && (header.producerEpoch < 0 || header.baseSequence < 0)) {
    return refuse(kafkaErrors.INVALID_RECORD, 'A producer id needs an epoch and a sequence')
  }
  return undefined
}

function checkTimestamps(header: BatchHeader, rules: ValidationRules): BatchRefusal | undefined {
  const { timestamps } = rules
  const { maxTimestamp, baseTimestamp } = header
  if (timestamps === undefined || maxTimestamp === noTimestamp) return undefined
  const isTooOld = timestamps.nowMs - baseTimestamp > timestamps.beforeMaxMs
  const isTooNew = maxTimestamp - timestamps.nowMs > timestamps.afterMaxMs
  if (!isTooOld && !isTooNew) return undefined
  const which = isTooOld
    ? `${baseTimestamp} is older than message.timestamp.before.max.ms allows`
    : `${maxTimestamp} is further ahead than message.timestamp.after.max.ms allows`
  return refuse(kafkaErrors.INVALID_TIMESTAMP, `Timestamp ${which}`)
}

function checkRecords(
  bytes: Buffer,
  header: BatchHeader,
  rules: ValidationRules,
): BatchRefusal | undefined {
  const type = compressionOf(header.attributes) ?? 'none'
  let records = bytes
  let from = batchHeaderBytes
  if (type !== 'none') {
    try {
      records = decompress(type, bytes.subarray(batchHeaderBytes), decompressedBytesMax)
      from = 0
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      return refuse(kafkaErrors.CORRUPT_MESSAGE, error.message)
    }
  }
  const { recordCount: count } = header
  const { needsKeys } = rules
  const walk = walkRecords(records, { from, to: records.length, count, needsKeys })
  if (walk.problem === undefined) return undefined
  return {
    error: kafkaErrors.INVALID_RECORD,
    message: `Record ${walk.at} ${walk.problem}`,
    recordIndex: walk.at,
  }
}
