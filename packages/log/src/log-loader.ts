/**
 * Brings the state derived from a log to the log's end: starts at the newest usable snapshot and replays the batch headers above
 * it. A clean stop leaves a snapshot at the end, so that nothing is replayed.
 */
import { readFileIfPresent } from './atomic-file.ts'
import { LogDirectoryError } from './errors.ts'
import { leaderEpochCheckpointName, offsetOfFileName, segmentFileName } from './file-names.ts'
import { scanHeaders } from './header-scan.ts'
import type { DerivedState, Log } from './log.ts'
import { OffsetIndex } from './offset-index.ts'
import { join } from './paths.ts'
import type { Segment } from './segment.ts'
import { TimeIndex } from './time-index.ts'

/** Loads the log for appends and reads. Throws LOG_CORRUPT when a segment does not hold what its length promises. */
export async function loadLog(log: Log, derived: DerivedState): Promise<void> {
  try {
    await load(log, derived)
  } catch (error) {
    log.noteFailure(error)
    throw error
  }
}

async function load(log: Log, derived: DerivedState): Promise<void> {
  derived.reset()
  const from = await restoreNewest(log, derived)
  const first = log.segmentOf(from)
  for (const segment of log.segments) {
    if (segment.baseOffset < first.baseOffset) continue
    await replaySegment(log, segment, { derived, from })
  }
  log.derivedOffset = from
  log.attach(derived)
}

/** Derives anew what belongs to a log that was cut: from the newest snapshot below its end, as a start would. */
export async function reloadLog(log: Log): Promise<void> {
  const { derived } = log
  if (derived === undefined) return
  log.detach()
  await loadLog(log, derived)
  derived.truncateEnd(log.logEndOffset)
  log.storage.persistEpochs(log, derived.capture().epochs)
}

/** The offset that the restored state stands for. */
async function restoreNewest(log: Log, derived: DerivedState): Promise<bigint> {
  const { fileSystem } = log.storage
  const start = (log.segments[0] as Segment).baseOffset
  const names = await fileSystem.list(log.path)
  const offsets = names
    .map((name) => offsetOfFileName(name, '.snapshot'))
    // What lay between an older one and the first segment is deleted, and can be replayed no more.
    .filter((offset) => offset !== undefined && offset >= start && offset <= log.logEndOffset)
    .sort((a, b) => Number((b as bigint) - (a as bigint))) as bigint[]
  const epochs = await readFileIfPresent(fileSystem, join(log.path, leaderEpochCheckpointName))
  for (const offset of offsets) {
    const path = join(log.path, segmentFileName(offset, '.snapshot'))
    const producers = await fileSystem.readFile(path)
    if (derived.restore({ producers, epochs, offset })) return offset
  }
  derived.restore({ producers: undefined, epochs, offset: start })
  return start
}

async function replaySegment(
  log: Log,
  segment: Segment,
  { derived, from }: { derived: DerivedState; from: bigint },
): Promise<void> {
  const to = log.readableBytes(segment)
  if (to === 0) {
    segment.indexes = { offset: new OffsetIndex(), time: new TimeIndex() }
    return
  }
  await resumeIndexes(log, segment, from)
  let expected = segment.baseOffset
  const end = log.nextSegment(segment)?.baseOffset ?? log.confirmedOffset
  const lease = await log.storage.openSegment(segment, { create: false })
  try {
    const stop = await scanHeaders(lease.file, { from: segment.sizeBytes, to }, (header) => {
      if (header.baseOffset < expected || header.lastOffset >= end) return false
      expected = header.lastOffset + 1n
      segment.append(header, log.config.indexIntervalBytes)
      if (header.baseOffset >= from) derived.replay(header)
      return true
    })
    if (stop.position !== to) {
      throw new LogDirectoryError(
        'LOG_CORRUPT',
        log.path,
        `Cannot load ${log.name}: ${expected} does not follow at position ${stop.position} of ${segment.path}`,
      )
    }
  } finally {
    lease.release()
  }
  if (segment === log.activeSegment) return
  segment.seal()
  // What is stored may be of a tail that a crash took, and no later roll would replace it.
  log.storage.persistIndexes(log, segment)
}

/** Keeps of the stored indexes what lies below `from`, and sets the segment to where its replay must begin. */
async function resumeIndexes(log: Log, segment: Segment, from: bigint): Promise<void> {
  const { fileSystem } = log.storage
  const read = async (suffix: '.index' | '.timeindex') =>
    (from > segment.baseOffset
      ? await readFileIfPresent(
          fileSystem,
          join(log.path, segmentFileName(segment.baseOffset, suffix)),
        )
      : undefined) ?? Buffer.alloc(0)
  let offset = new OffsetIndex(await read('.index'))
  const time = new TimeIndex(await read('.timeindex'))
  const relative = Number(from - segment.baseOffset)
  offset.truncate(relative)
  if (!(await holdsLastEntry(log, segment, offset))) offset = new OffsetIndex()
  segment.indexes = { offset, time }
  segment.sizeBytes = offset.entries === 0 ? 0 : offset.floorPosition(relative)
  // Timestamps of batches from the resumed position on are noted again by the replay.
  time.truncate(offset.entries === 0 ? 0 : relative)
  const last = time.last
  if (last !== undefined) {
    segment.maxTimestamp = last.timestamp
    segment.maxTimestampOffset = segment.baseOffset + BigInt(last.relativeOffset)
  }
}

/** Whether the batch that the last entry names lies where it says: otherwise the index is damaged, and made anew. */
async function holdsLastEntry(log: Log, segment: Segment, index: OffsetIndex): Promise<boolean> {
  const last = index.floorOffset(Number.MAX_SAFE_INTEGER)
  if (last === undefined) return true
  const range = { from: index.floorPosition(last), to: log.readableBytes(segment) }
  let found: bigint | undefined
  const lease = await log.storage.openSegment(segment, { create: false })
  try {
    await scanHeaders(lease.file, range, (header) => {
      found = header.lastOffset
      return false
    })
  } finally {
    lease.release()
  }
  return found === segment.baseOffset + BigInt(last)
}
