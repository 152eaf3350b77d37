export { compressionOf, hasLogAppendTime, isControl, isTransactional } from './attributes.ts'
export type { BatchHeader } from './batch-header.ts'
export {
  assignCreateTime,
  assignLogAppendTime,
  assignOffset,
  baseOffsetAt,
  batchHeaderBytes,
  batchLogOverheadBytes,
  batchSizeAt,
  isCrcValid,
  lastOffsetAt,
  leaderEpochAt,
  magicAt,
  maxTimestampAt,
  noProducerId,
  noSequence,
  noTimestamp,
  readBatchHeader,
} from './batch-header.ts'
export type { CompressionType } from './compression.ts'
export { compress, compressionTypes, decompress } from './compression.ts'
export type { BatchOptions, Record, RecordHeader, StoredRecord } from './record-batch.ts'
export {
  batchesOf,
  encodeBatch,
  firstRecordSince,
  newestRecord,
  recompressBatch,
  recordsOf,
} from './record-batch.ts'
export type {
  BatchRefusal,
  RefusedRecord,
  Validation,
  ValidationRules,
} from './validate-batch.ts'
export { tooLarge, validateBatch } from './validate-batch.ts'
