export type { BatchHeader } from './batch-header.ts'
export {
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
