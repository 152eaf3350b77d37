import type { File, FileSystem } from '@naru/base'
import {
  batchHeaderBytes,
  batchSizeAt,
  isCrcValid,
  leaderEpochAt,
  magicAt,
  readBatchHeader,
} from '@naru/records'
import type { LogEnd } from './checkpoint.ts'
import { segmentFileName } from './file-names.ts'
import { join } from './paths.ts'

const windowBytes = 4 << 20

/**
 * Finds where an unjournaled log ends: contiguous, undamaged batches with leader epochs that do not fall, from a known end on,
 * through later segments that begin where the one before ends. What is kept is written anew: the cache may hold what the disk
 * does not.
 */
export async function scanTail(
  fileSystem: FileSystem,
  directory: string,
  { from, baseOffsets }: { from: LogEnd; baseOffsets: readonly bigint[] },
): Promise<{ end: LogEnd; scanned: Map<bigint, number> }> {
  const scanned = new Map<bigint, number>()
  let end = from
  let leaderEpoch = -1
  for (const baseOffset of baseOffsets) {
    if (baseOffset < from.segmentBaseOffset) continue
    const isFirst = baseOffset === from.segmentBaseOffset
    if (!isFirst && baseOffset !== end.endOffset) break
    const file = await fileSystem.open(
      join(directory, segmentFileName(baseOffset, '.log')),
      'write',
    )
    try {
      const start = isFirst
        ? from
        : { endOffset: end.endOffset, segmentBaseOffset: baseOffset, position: 0 }
      const scan = await scanSegment(file, start, leaderEpoch)
      end = scan.end
      leaderEpoch = scan.leaderEpoch
      scanned.set(baseOffset, end.position)
    } finally {
      await file.close()
    }
  }
  return { end, scanned }
}

async function scanSegment(
  file: File,
  from: LogEnd,
  leaderEpochBefore: number,
): Promise<{ end: LogEnd; leaderEpoch: number }> {
  const size = await file.sizeBytes()
  let { endOffset, position } = from
  let leaderEpoch = leaderEpochBefore
  while (position + batchHeaderBytes <= size) {
    const bytes = await readWindow(file, position, size)
    let at = 0
    while (at + batchHeaderBytes <= bytes.length) {
      const sizeBytes = batchSizeAt(bytes, at)
      if (sizeBytes < batchHeaderBytes || at + sizeBytes > bytes.length) break
      const isNext =
        magicAt(bytes, at) === 2 &&
        readBatchHeader(bytes, at).baseOffset === endOffset &&
        leaderEpochAt(bytes, at) >= leaderEpoch &&
        isCrcValid(bytes, at, sizeBytes)
      if (!isNext) break
      endOffset = readBatchHeader(bytes, at).lastOffset + 1n
      leaderEpoch = leaderEpochAt(bytes, at)
      at += sizeBytes
    }
    if (at === 0) break
    await file.write([bytes.subarray(0, at)], position)
    position += at
  }
  return { end: { endOffset, segmentBaseOffset: from.segmentBaseOffset, position }, leaderEpoch }
}

/** At least one whole batch when there is one. */
async function readWindow(file: File, position: number, size: number): Promise<Buffer> {
  const first = Buffer.allocUnsafe(Math.min(windowBytes, size - position))
  const read = await file.read(first, position)
  const batchBytes = read >= batchHeaderBytes ? batchSizeAt(first, 0) : 0
  if (batchBytes <= read || position + batchBytes > size) return first.subarray(0, read)
  const whole = Buffer.allocUnsafe(batchBytes)
  return whole.subarray(0, await file.read(whole, position))
}
