/** Compares a log with its ledger. */
import { type Log, LogDirectoryError } from '@naru/log'
import { batchesOf, readBatchHeader, recordsOf } from '@naru/records'
import type { LogLedger } from './log-ledger.ts'
import type { NewestBatches } from './newest-batches.ts'

export interface Findings {
  /** Something is there that was never put there. Nothing excuses it. */
  readonly wrong: readonly string[]
  /** Something is gone that was promised to stay: a defect, unless the disk was damaged and the log says so. */
  readonly missing: readonly string[]
  /** The log says itself that it is damaged. */
  readonly isReported: boolean
}

/** `needed`: exclusive end of what must be there. */
export async function inspectLog(log: Log, ledger: LogLedger, needed: number): Promise<Findings> {
  const wrong: string[] = []
  const missing: string[] = []
  const start = Number(log.logStartOffset)
  const end = Number(log.logEndOffset)
  if (end < needed) missing.push(`ends at ${end}, promised to ${needed}`)
  if (start < ledger.start) missing.push(`starts at ${start}, moved to ${ledger.start}`)
  if (start > ledger.startMax) wrong.push(`starts at ${start}, moved to ${ledger.startMax} at most`)
  const stored = await readAll(log)
  for (const [offset, value] of stored.values) {
    // A truncation that the disk lost is undone, and the log is damaged.
    const isExplained = log.isDamaged && ledger.wasCut(offset, value)
    if (ledger.valueAt(offset) !== value && !isExplained) wrong.push(`wrong record at ${offset}`)
  }
  const isLonger = end > (log.isDamaged ? ledger.longestEnd : ledger.end)
  if (isLonger) wrong.push(`ends at ${end}, appended to ${ledger.end}`)
  const expected = Math.max(0, end - start)
  if (stored.values.size !== expected) {
    missing.push(`has ${stored.values.size} of ${expected} records`)
  }
  // Not in one go, as readers do: each segment is looked into by its index.
  for (const segment of log.segments) {
    const offset = middleOf(log, segment)
    const isMissed = !stored.isCorrupt && offset !== undefined && !(await holds(log, offset))
    if (isMissed) missing.push(`is not found at ${offset}`)
  }
  return { wrong, missing, isReported: log.isDamaged || stored.isCorrupt }
}

/** What is derived from the log, at its end. */
export function inspectDerived(log: Log, ledger: LogLedger, derived: NewestBatches): string[] {
  const end = Number(log.logEndOffset)
  const wrong: string[] = []
  for (const [baseOffset, serial] of derived.serials) {
    const isKnown = baseOffset < end && ledger.serialAt(baseOffset) === serial
    if (!isKnown) wrong.push(`derived state knows a batch at ${baseOffset} that is not there`)
  }
  const last = ledger.lastBatchOffset
  const firstStored = Number(log.segments[0]?.baseOffset)
  if (last !== undefined && last >= firstStored && !derived.serials.has(last)) {
    wrong.push(`derived state lacks the last batch at ${last}`)
  }
  return wrong
}

/** An offset in the middle of what may be read of a segment; undefined when there is nothing. */
function middleOf(log: Log, segment: Log['segments'][number]): bigint | undefined {
  const end = log.nextSegment(segment)?.baseOffset ?? log.confirmedOffset
  const start = segment.baseOffset > log.logStartOffset ? segment.baseOffset : log.logStartOffset
  return start < end ? (start + end) / 2n : undefined
}

async function holds(log: Log, offset: bigint): Promise<boolean> {
  const upTo = log.confirmedOffset
  const bytes = await log.read({ offset, maxBytes: 1, upTo, atLeastOne: true })
  return valuesIn(bytes).has(Number(offset))
}

async function readAll(log: Log): Promise<{ values: Map<number, string>; isCorrupt: boolean }> {
  const values = new Map<number, string>()
  let offset = log.logStartOffset
  try {
    while (offset < log.confirmedOffset) {
      const upTo = log.confirmedOffset
      const bytes = await log.read({ offset, maxBytes: 4_000, upTo, atLeastOne: true })
      if (bytes.length === 0) break
      for (const [at, value] of valuesIn(bytes)) if (at >= offset) values.set(at, value)
      const end = endOf(bytes)
      if (end <= offset) break
      offset = end
    }
  } catch (error) {
    if (!(error instanceof LogDirectoryError && error.code === 'LOG_CORRUPT')) throw error
    return { values, isCorrupt: true }
  }
  return { values, isCorrupt: false }
}

/** The records of whole batches, by offset. */
export function valuesIn(bytes: Buffer): Map<number, string> {
  const values = new Map<number, string>()
  for (const batch of batchesOf(bytes)) {
    for (const record of recordsOf(batch, readBatchHeader(batch))) {
      values.set(Number(record.offset), String(record.value))
    }
  }
  return values
}

function endOf(bytes: Buffer): bigint {
  let end = 0n
  for (const batch of batchesOf(bytes)) end = readBatchHeader(batch).lastOffset + 1n
  return end
}
