/** Reads and look-ups in a log. Whole batches only, and only what is written. */
import type { File } from '@naru/base'
import {
  type BatchHeader,
  baseOffsetAt,
  batchHeaderBytes,
  batchSizeAt,
  isCrcValid,
  lastOffsetAt,
  magicAt,
} from '@naru/records'
import type { LogEnd } from './checkpoint.ts'
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
  /** Also batches that this process has written are checked: for readers who would hand on what is damaged. */
  readonly isChecked?: boolean
}

/** Empty when there is nothing between `offset` and `upTo`. The caller has checked the offset against the log's bounds. */
export async function readBatches(log: Log, request: ReadRequest): Promise<Buffer> {
  return (await unlessCut(log, () => readSegments(log, request))) ?? empty
}

/** What `look` finds in the log; undefined when the log is cut meanwhile: what was found may be gone, or bytes of two batches. */
async function unlessCut<T>(log: Log, look: () => Promise<T>): Promise<T | undefined> {
  if (log.isTruncating) return undefined
  const { cuts } = log
  try {
    const found = await look()
    return log.cuts === cuts ? found : undefined
  } catch (error) {
    if (log.cuts !== cuts) return undefined
    log.noteFailure(error)
    throw error
  }
}

async function readSegments(log: Log, request: ReadRequest): Promise<Buffer> {
  const { offset } = request
  const isWritten = offset < log.confirmedOffset
  let segment: Segment | undefined = log.segmentOf(offset)
  while (segment !== undefined) {
    const bytes: Buffer | undefined = await readSegment(log, segment, request)
    if (bytes !== undefined) return bytes
    segment = log.nextSegment(segment)
  }
  if (!isWritten || isGone(log, offset)) return empty
  const position = log.readableBytes(log.activeSegment)
  throw corrupt(log, log.activeSegment, { position, offset, what: 'no batch' })
}

/** Retention or a deletion was faster: there is nothing to read any more, and the file may be another log's. */
function isGone(log: Log, offset: bigint): boolean {
  return offset < log.logStartOffset || log.storage.isForgotten(log)
}

/** Undefined when what is wanted lies in a later segment. */
async function readSegment(
  log: Log,
  segment: Segment,
  request: ReadRequest,
): Promise<Buffer | undefined> {
  const end = log.readableBytes(segment)
  try {
    const place = await placeOf(log, segment, request.offset)
    if (place.from >= end) return undefined
    const bytes = await readFrom(log, segment, { ...request, ...place, end })
    return isGone(log, request.offset) ? empty : bytes
  } catch (error) {
    if (isGone(log, request.offset)) return empty
    throw error
  }
}

async function readFrom(
  log: Log,
  segment: Segment,
  request: ReadRequest & Place & { end: number },
): Promise<Buffer> {
  const { from, end, offset, maxBytes, atLeastOne, upTo } = request
  const bytes = await readAt(log, segment, { from, bytes: Math.min(maxBytes, end - from) })
  const cut = wholeBatches(bytes, upTo)
  if (cut > 0 || !atLeastOne) {
    return finishRead(log, segment, { ...request, bytes: bytes.subarray(0, cut) })
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
  return finishRead(log, segment, { ...request, bytes: whole })
}

/** Where a batch begins, and what the way there tells of its offsets, which its checksum does not cover. */
interface Place {
  readonly from: number
  readonly baseOffset?: bigint | undefined
  readonly lastOffset?: bigint | undefined
}

/** Where the batch that holds `offset` begins, or the end of what is readable when it lies in a later segment. */
async function placeOf(log: Log, segment: Segment, offset: bigint): Promise<Place> {
  if (offset <= segment.baseOffset) return { from: 0, baseOffset: segment.baseOffset }
  const known = segment.positionOfNext(offset)
  if (known !== undefined) return { from: known, baseOffset: offset }
  const to = log.readableBytes(segment)
  const written = log.writtenEnd
  const isEnd = offset >= written.endOffset && segment.baseOffset === written.segmentBaseOffset
  if (isEnd) return { from: to }
  const indexes = await log.storage.indexesOf(log, segment)
  const relative = Number(offset - segment.baseOffset)
  const entry = indexes.offset.floorOffset(relative)
  const lease = await log.storage.openSegment(segment, { create: false })
  try {
    const walk = (start: Place) => walkTo(lease.file, start, { offset, to })
    const start = { from: 0, baseOffset: segment.baseOffset }
    if (entry === undefined) return (await walk(start)) ?? start
    const lastOffset = segment.baseOffset + BigInt(entry)
    const named = { from: indexes.offset.floorPosition(relative), lastOffset }
    // What the entry names is not there: it is damaged, and the log itself has the answer.
    return (await walk(named)) ?? (await walk(start)) ?? start
  } finally {
    lease.release()
  }
}

/** From the batch at `start` to the one that holds `offset`. Undefined when another batch than that lies there, or none. */
async function walkTo(
  file: File,
  start: Place,
  { offset, to }: { offset: bigint; to: number },
): Promise<Place | undefined> {
  let first: BatchHeader | undefined
  let next: bigint | undefined
  const stop = await scanHeaders(file, { from: start.from, to }, (header) => {
    first ??= header
    if (header.lastOffset >= offset) return false
    next = header.lastOffset + 1n
    return true
  })
  const { baseOffset = first?.baseOffset, lastOffset = first?.lastOffset } = start
  if (first?.baseOffset !== baseOffset || first?.lastOffset !== lastOffset) return undefined
  return next === undefined ? start : { from: stop.position, baseOffset: next }
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
  request: Place & { bytes: Buffer; offset: bigint; isChecked?: boolean },
): Buffer {
  const { bytes, offset, isChecked = false, ...place } = request
  const { from } = place
  let at = 0
  let next = offset
  while (at < bytes.length) {
    const size = batchSizeAt(bytes, at)
    const known = at === 0 ? place : { baseOffset: next }
    const isForeign = isChecked || next < log.trustedFromOffset
    if (isForeign && !isStoredBatch(bytes, at, { size, next, ...known })) break
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
  expected: Omit<Place, 'from'> & { size: number; next: bigint },
): boolean {
  const baseOffset = baseOffsetAt(bytes, at)
  const lastOffset = lastOffsetAt(bytes, at)
  return (
    magicAt(bytes, at) === 2 &&
    baseOffset <= expected.next &&
    lastOffset >= expected.next &&
    baseOffset === (expected.baseOffset ?? baseOffset) &&
    lastOffset === (expected.lastOffset ?? lastOffset) &&
    isCrcValid(bytes, at, expected.size)
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
  request: { timestamp: bigint; from: bigint; upTo: bigint },
): Promise<Buffer | undefined> {
  return unlessCut(log, () => lookForTimestamp(log, request))
}

async function lookForTimestamp(
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
  return unlessCut(log, () => lookForMaxTimestamp(log))
}

async function lookForMaxTimestamp(log: Log): Promise<bigint | undefined> {
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
  return unlessCut(log, () => lookForBatch(log, offset))
}

/** The largest end of a batch at or below `endOffset`, and where that is. Nothing of the log may be on its way. */
export async function batchBoundary(log: Log, endOffset: bigint): Promise<LogEnd> {
  if (endOffset >= log.writtenEnd.endOffset) return log.writtenEnd
  const segment = log.segmentOf(endOffset)
  const segmentBaseOffset = segment.baseOffset
  const { from, baseOffset } = await placeOf(log, segment, endOffset)
  if (baseOffset !== undefined) return { endOffset: baseOffset, segmentBaseOffset, position: from }
  const header = await readAt(log, segment, { from, bytes: batchHeaderBytes })
  if (header.length === batchHeaderBytes && baseOffsetAt(header, 0) <= endOffset) {
    return { endOffset: baseOffsetAt(header, 0), segmentBaseOffset, position: from }
  }
  const error = corrupt(log, segment, { position: from, offset: endOffset, what: 'no batch' })
  log.noteFailure(error)
  throw error
}

async function lookForBatch(log: Log, offset: bigint): Promise<Buffer | undefined> {
  const segment = log.segmentOf(offset)
  const place = await placeOf(log, segment, offset)
  const header = await readAt(log, segment, { from: place.from, bytes: batchHeaderBytes })
  if (header.length < batchHeaderBytes || baseOffsetAt(header, 0) > offset) return undefined
  return readOne(log, segment, { ...place, offset })
}

/** The batch that begins at `from` and holds `offset`. */
function readOne(log: Log, segment: Segment, place: Place & { offset: bigint }): Promise<Buffer> {
  const end = log.readableBytes(segment)
  const limits = { maxBytes: batchHeaderBytes, upTo: place.offset + 1n, atLeastOne: true }
  return readFrom(log, segment, { ...place, end, ...limits })
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
