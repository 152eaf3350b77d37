/** Whether a batch that a client sent may be appended, and what becomes of its header. */
import { isInternalTopic, type KafkaError, kafkaErrors, type TopicConfig } from '@naru/model'
import type { AppendedBatch, ProducerState } from '@naru/partition'
import {
  assignCreateTime,
  type BatchRefusal,
  type CompressionType,
  hasLogAppendTime,
  isTransactional,
  recompressBatch,
  tooLarge,
  validateBatch,
} from '@naru/records'

export type ProducedBatch =
  | { readonly kind: 'append'; readonly batch: Buffer }
  | { readonly kind: 'duplicate'; readonly of: AppendedBatch }
  | { readonly kind: 'refuse'; readonly refusal: BatchRefusal }

interface Destination {
  readonly topic: string
  readonly config: TopicConfig
  readonly producers: ProducerState
}

export function judgeProduced(
  bytes: Buffer,
  { topic, config, producers }: Destination,
  { produceVersion, nowMs }: { produceVersion: number; nowMs: number },
): ProducedBatch {
  const validation = validateBatch(bytes, {
    produceVersion,
    maxMessageBytes: config.maxMessageBytes,
    needsKeys: false,
    timestamps: config.hasLogAppendTime
      ? undefined
      : {
          nowMs: BigInt(nowMs),
          beforeMaxMs: config.timestampBeforeMaxMs,
          afterMaxMs: config.timestampAfterMaxMs,
        },
  })
  if (validation.refusal !== undefined) return { kind: 'refuse', refusal: validation.refusal }
  const { header, newestTimestamp } = validation
  if (isInternalTopic(topic)) {
    return refuse(kafkaErrors.INVALID_TOPIC_EXCEPTION, `Only brokers write to ${topic}`)
  }
  if (isTransactional(header.attributes)) {
    const message = 'Transactions are not supported by this version'
    return refuse(kafkaErrors.UNSUPPORTED_VERSION, message)
  }
  const verdict = producers.check(header)
  if (verdict.kind === 'refuse') return refuse(verdict.error, verdict.message)
  if (verdict.kind === 'duplicate') return verdict
  const isTruthful = header.maxTimestamp === newestTimestamp && !hasLogAppendTime(header.attributes)
  if (!isTruthful) assignCreateTime(bytes, 0, bytes.length, newestTimestamp)
  return compressed(bytes, config)
}

/** In the topic's codec, in which it may be larger than what came. */
function compressed(bytes: Buffer, config: TopicConfig): ProducedBatch {
  const { compressionType, maxMessageBytes, segmentBytes } = config
  const batch =
    compressionType === 'producer' ? bytes : recompressBatch(bytes, codecNamed(compressionType))
  if (batch.length > maxMessageBytes) {
    return { kind: 'refuse', refusal: tooLarge(batch.length, maxMessageBytes) }
  }
  if (batch.length <= segmentBytes) return { kind: 'append', batch }
  const message = `The batch has ${batch.length} bytes: segment.bytes is ${segmentBytes}`
  return refuse(kafkaErrors.RECORD_LIST_TOO_LARGE, message)
}

function codecNamed(compressionType: string): CompressionType {
  return compressionType === 'uncompressed' ? 'none' : (compressionType as CompressionType)
}

function refuse(error: KafkaError, message: string): ProducedBatch {
  return { kind: 'refuse', refusal: { error, message } }
}
