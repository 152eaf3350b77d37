import type { File } from '@naru/base'
import { type BatchHeader, batchHeaderBytes, magicAt, readBatchHeader } from '@naru/records'

const windowBytes = 65_536
/** Bytes walked before the event loop gets a turn. */
const turnBytes = 16 << 20

export interface ScanStop {
  /** Position behind the last good header's batch. */
  readonly position: number
  /** False when something that is no batch lies between `position` and the end that was asked for. */
  readonly isComplete: boolean
}

/**
 * Visits the batch headers in `[from, to)` of a segment, bodies unread. Stops at the first thing that cannot be a batch, and
 * where `visit` returns false (its batch counts as not visited).
 */
export async function scanHeaders(
  file: File,
  { from, to }: { from: number; to: number },
  visit: (header: BatchHeader, position: number) => boolean,
): Promise<ScanStop> {
  const window = Buffer.allocUnsafe(windowBytes)
  let windowFrom = 0
  let windowEnd = 0
  let position = from
  let turnFrom = from
  while (position < to) {
    if (position + batchHeaderBytes > to) return { position, isComplete: false }
    if (position + batchHeaderBytes > windowEnd || position < windowFrom) {
      if (position - turnFrom > turnBytes) {
        turnFrom = position
        windowEnd = position + (await file.read(window, position))
      } else {
        windowEnd = position + file.readSync(window, position)
      }
      windowFrom = position
      if (windowEnd - position < batchHeaderBytes) return { position, isComplete: false }
    }
    const at = position - windowFrom
    const header = readBatchHeader(window, at)
    const isBatch =
      magicAt(window, at) === 2 &&
      header.sizeBytes >= batchHeaderBytes &&
      header.lastOffsetDelta >= 0 &&
      position + header.sizeBytes <= to
    if (!isBatch) return { position, isComplete: false }
    if (!visit(header, position)) return { position, isComplete: true }
    position += header.sizeBytes
  }
  return { position, isComplete: true }
}
