/** Reads and look-ups in a log. Whole batches only, and only what is written. */
import {
  baseOffsetAt,
  batchHeaderBytes,
  batchSizeAt,
  isCrcValid,
  lastOffsetAt,
  magicAt,
} from '@naru/records'
import { LogDirectoryError } from './errors.ts'
import { scanHeaders } from './header-scan.ts'
import type { Log } from './log.ts'
import type { Segment } from './segment.ts'

/** Reads up to this size on the calling thread when they are near the end of the log, hence in the page cache. */
const syncReadBytesMax = 65_536
const nearEndBytes = 8 << 20
const empty = Buffer.alloc(0)

export interface ReadRequest {
  /** First offset wanted: the batch that holds it is returned whole. */
  readonly offset: bigint
  readonly maxBytes: number
  /** Exclusive: batches that begin at or above it are left out. */
  readonly upTo: bigint
  /** The first batch is returned even when it is larger than `maxBytes` (KIP-74). */
  readonly atLeastOne: boolean
}

/** Empty when there is nothing between `offset` and `upTo`. The caller has checked the offset against the log's bounds. */
export async function readBatches(log: Log, request: ReadRequest): Promise<Buffer> {
  let segment: Segment | undefined = log.segmentOf(request.offset)
  while (segment !== undefined) {
    const bytes: Buffer | undefined = await readSegment(log, segment, request)
    if (bytes !== undefined) return bytes
    segment = log.nextSegment(segment)
  }
  return empty
}

/** Undefined when what is wanted lies in a later segment. */
async function readSegment(
  log: Log,
  segment: Segment,
  request: ReadRequest,
): Promise<Buffer | undefined> {
  const end = log.readableBytes(segment)
  // Retention or a deletion may be faster: then there is nothing to read any more, and the file may be another log's.
  const isGone = () => request.offset < log.logStartOffset || log.storage.isForgotten(log)
  try {
    const from = await positionOf(log, segment, request.offset)
    if (from >= end) return undefined
    const bytes = await readFrom(log, segment, { ...request, from, end })
    return isGone() ? empty : bytes
  } catch (error) {
    if (isGone()) return empty
    throw error
  }
}

async function readFrom(
  log: Log,
  segment: Segment,
  request: ReadRequest & { from: number; end: number },
): Promise<Buffer> {
  const { from, end, offset, maxBytes, atLeastOne, upTo } = request
  const bytes = await readAt(log, segment, { from, bytes: Math.min(maxBytes, end - from) })
  const cut = wholeBatches(bytes, upTo)
  if (cut > 0 || !atLeastOne) {
    return finishRead(log, segment, { bytes: bytes.subarray(0, cut), from, offset })
  }
  const headerBytes = Math.min(batchHeaderBytes, end - from)
  const header =
    bytes.length >= headerBytes ? bytes : await readAt(log, segment, { from, bytes: headerBytes })
  const size = header.length < batchHeaderBytes ? 0 : batchSizeAt(header, 0)
  if (size < batchHeaderBytes || size > end - from || baseOffsetAt(header, 0) > offset) {
    throw corrupt(log, segment, { position: from, offset, what: 'no batch' })
  }
  if (baseOffsetAt(header, 0) >= upTo) return empty
  const whole = await readAt(log, segment, { from, bytes: size })
  return finishRead(log, segment, { bytes: whole, from, offset })
}

/** Where the batch that holds `offset` begins, or the end of what is readable when it lies in a later segment. */
export async function positionOf(log: Log, segment: Segment, offset: bigint): Promise<number> {
  if (offset <= segment.baseOffset) return 0
  const known = segment.positionOfNext(offset)
  if (known !== undefined) return known
  const end = log.readableBytes(segment)
  const written = log.writtenEnd
  if (offset >= written.endOffset && segment.baseOffset === written.segmentBaseOffset) return end
  const indexes = await log.storage.indexesOf(log, segment)
  const from = indexes.offset.floorPosition(Number(offset - segment.baseOffset))
  const lease = await log.storage.openSegment(segment, { create: false })
  try {
    const stop = await scanHeaders(lease.file, { from, to: end }, (h) => h.lastOffset < offset)
    return stop.position
  } finally {
    lease.release()
  }
}

async function readAt(
  log: Log,
  segment: Segment,
  { from, bytes }: { from: number; bytes: number },
): Promise<Buffer> {
  const target = Buffer.allocUnsafeSlow(bytes)
  const lease = await log.storage.openSegment(segment, { create: false })
  try {
    const isNearEnd = segment === log.activeSegment && segment.sizeBytes - from < nearEndBytes
    const read =
      isNearEnd && bytes <= syncReadBytesMax
        ? lease.file.readSync(target, from)
        : await lease.file.read(target, from)
    return target.subarray(0, read)
  } finally {
    lease.release()
  }
}

/** Bytes of the whole batches at the start of `bytes` that begin below `upTo`. */
function wholeBatches(bytes: Buffer, upTo: bigint): number {
  let at = 0
  while (at + batchHeaderBytes <= bytes.length) {
    const size = batchSizeAt(bytes, at)
    if (size < batchHeaderBytes || at + size > bytes.length) break
    if (baseOffsetAt(bytes, at) >= upTo) break
    at += size
  }
  return at
}

/**
 * Remembers where the next read begins, and checks what this process has not written itself before anyone sees it: the batches
 * before a damaged one are served, then it is reported.
 */
function finishRead(
  log: Log,
  segment: Segment,
  { bytes, from, offset }: { bytes: Buffer; from: number; offset: bigint },
): Buffer {
  let at = 0
  let next = offset
  while (at < bytes.length) {
    const size = batchSizeAt(bytes, at)
    if (next < log.trustedFromOffset && !isStoredBatch(bytes, at, { size, next })) break
    next = lastOffsetAt(bytes, at) + 1n
    at += size
  }
  if (at === 0 && bytes.length > 0) {
    throw corrupt(log, segment, { position: from, offset, what: 'damaged batch' })
  }
  if (at > 0) segment.notePositionOfNext(next, from + at)
  return at === bytes.length ? bytes : bytes.subarray(0, at)
}

/** Whether the batch at `at` is undamaged and holds `next`. Its checksum covers neither its base offset nor its magic. */
function isStoredBatch(
  bytes: Buffer,
  at: number,
  { size, next }: { size: number; next: bigint },
): boolean {
  return (
    magicAt(bytes, at) === 2 &&
    baseOffsetAt(bytes, at) <= next &&
    lastOffsetAt(bytes, at) >= next &&
    (at === 0 || baseOffsetAt(bytes, at) === next) &&
    isCrcValid(bytes, at, size)
  )
}

function corrupt(
  log: Log,
  segment: Segment,
  { position, offset, what }: { position: number; offset: bigint; what: string },
): LogDirectoryError {
  const message = `Cannot read ${log.name} at offset ${offset}: ${what} at position ${position} of ${segment.path}`
  return new LogDirectoryError('LOG_CORRUPT', log.path, message)
}

/** The first batch with a record at or after `timestamp`, or undefined; batches that hold `from` or follow it, up to `upTo`, are looked at. */
export async function batchForTimestamp(
  log: Log,
  { timestamp, from: first, upTo }: { timestamp: bigint; from: bigint; upTo: bigint },
): Promise<Buffer | undefined> {
  for (const segment of [...log.segments]) {
    const { time, offset } = await log.storage.indexesOf(log, segment)
    if (segment.maxTimestamp < timestamp) continue
    const lower = time.lowerEntry(timestamp)
    const from = lower === undefined ? 0 : offset.floorPosition(lower.relativeOffset)
    const found = await findBatch(log, segment, {
      from,
      matches: (header) => header.maxTimestamp >= timestamp && header.lastOffset >= first,
    })
    if (found === undefined) continue
    if (found.baseOffset >= upTo) return undefined
    return readOne(log, segment, { from: found.position, offset: found.baseOffset })
  }
  return undefined
}

/** The last offset of the batch with the largest timestamp, the earliest of equals; undefined when the log is empty. */
export async function offsetOfMaxTimestamp(log: Log): Promise<bigint | undefined> {
  let newest: Segment | undefined
  for (const segment of [...log.segments]) {
    if (segment.sizeBytes === 0) continue
    await log.storage.indexesOf(log, segment)
    if (newest === undefined || segment.maxTimestamp > newest.maxTimestamp) newest = segment
  }
  return newest?.maxTimestampOffset
}

/** The batch that holds an offset; undefined when it was deleted. The caller has waited until the offset is confirmed. */
export async function batchAt(log: Log, offset: bigint): Promise<Buffer | undefined> {
  const segment = log.segmentOf(offset)
  const from = await positionOf(log, segment, offset)
  const header = await readAt(log, segment, { from, bytes: batchHeaderBytes })
  if (header.length < batchHeaderBytes || baseOffsetAt(header, 0) > offset) return undefined
  return readOne(log, segment, { from, offset })
}

/** The batch that begins at `from` and holds `offset`. */
function readOne(
  log: Log,
  segment: Segment,
  { from, offset }: { from: number; offset: bigint },
): Promise<Buffer> {
  const end = log.readableBytes(segment)
  const limits = { maxBytes: batchHeaderBytes, upTo: offset + 1n, atLeastOne: true }
  return readFrom(log, segment, { from, end, offset, ...limits })
}

async function findBatch(
  log: Log,
  segment: Segment,
  options: {
    from: number
    matches: (header: { maxTimestamp: bigint; lastOffset: bigint }) => boolean
  },
): Promise<{ position: number; sizeBytes: number; baseOffset: bigint } | undefined> {
  let found: { position: number; sizeBytes: number; baseOffset: bigint } | undefined
  const lease = await log.storage.openSegment(segment, { create: false })
  try {
    const range = { from: options.from, to: log.readableBytes(segment) }
    await scanHeaders(lease.file, range, (header, position) => {
      if (!options.matches(header)) return true
      found = { position, sizeBytes: header.sizeBytes, baseOffset: header.baseOffset }
      return false
    })
  } finally {
    lease.release()
  }
  return found
}
