/** Records by their time, in the log of one partition. */
import { batchForTimestamp, type Log } from '@naru/log'
import { firstRecordSince, readBatchHeader, type StoredRecord } from '@naru/records'

export interface FoundOffset {
  readonly offset: bigint
  readonly timestamp: bigint
  readonly leaderEpoch: number
}

export const notFound: FoundOffset = { offset: -1n, timestamp: -1n, leaderEpoch: -1 }

/** The first record at or after a timestamp that is not deleted and not beyond `upTo`. */
export async function recordSince(log: Log, timestamp: bigint, upTo: bigint): Promise<FoundOffset> {
  let from = log.logStartOffset
  for (;;) {
    const batch = await batchForTimestamp(log, { timestamp, from, upTo })
    if (batch === undefined) return notFound
    const record = firstRecordSince(batch, { timestamp, offset: from })
    if (record !== undefined) return foundIn(batch, record)
    // The log begins within that batch, behind the record that it was found for.
    from = readBatchHeader(batch).lastOffset + 1n
  }
}

export function foundIn(batch: Buffer, { offset, timestamp }: StoredRecord): FoundOffset {
  return { offset, timestamp, leaderEpoch: readBatchHeader(batch).leaderEpoch }
}
