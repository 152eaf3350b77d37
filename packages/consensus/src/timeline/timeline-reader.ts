/**
 * Reads the event file in pages. A reader has nothing but a position, so one that is slow holds nothing up and has nothing kept for
 * it: what goes away before it comes there is a gap to it.
 */
import { type File, type FileSystem, FileSystemError } from '@naru/base'
import { type EventSegment, framesAt } from './event-segments.ts'
import { eventsIn, type Frame, gapIn } from './frame.ts'
import type { GapReason, TimelineGap, TimelineItem, TimelinePosition } from './timeline-item.ts'

export interface SegmentsToRead {
  readonly through: bigint
  readonly segments: readonly EventSegment[]
}

export interface PageRequest {
  readonly from: TimelinePosition
  /** Of events; the last item may go beyond. */
  readonly limit: number
  /** What was decided before is left out. */
  readonly sinceMs: number
}

export interface PagePart {
  readonly items: readonly TimelineItem[]
  readonly next: TimelinePosition
}

/** What one look at the file gives; undefined at its end. Without items it is only further on. */
export async function readPart(
  fileSystem: FileSystem,
  file: SegmentsToRead,
  request: PageRequest,
): Promise<PagePart | undefined> {
  const { from } = request
  const [oldest] = file.segments
  if (oldest === undefined) return undefined
  if (from.index < oldest.firstIndex) return expired(from.index, oldest, request.sinceMs)
  const segment = segmentOf(file.segments, from)
  const position = from.place?.path === segment.path ? from.place.position : 0
  if (position >= segment.sizeBytes) return afterSegment(file, segment, from.index)
  const frames = await framesOf(fileSystem, file, { segment, position })
  if (frames === undefined) return { items: [], next: { index: from.index } }
  if (frames.length === 0) return unreadable(file, segment, from.index)
  return itemsOf(frames, { ...request, path: segment.path, position })
}

function expired(index: bigint, oldest: EventSegment, sinceMs: number): PagePart {
  const next = { index: oldest.firstIndex }
  const isAskedFor = oldest.firstMs > sinceMs
  const gap = gapOf(index, oldest.firstIndex - 1n, 'retention')
  return { items: isAskedFor ? [gap] : [], next }
}

/** The one that the reader is in, else the last one that may have the index. */
function segmentOf(segments: readonly EventSegment[], from: TimelinePosition): EventSegment {
  const open = segments.find(({ path }) => path === from.place?.path)
  return (open ?? segments.findLast(({ firstIndex }) => firstIndex <= from.index)) as EventSegment
}

/** The next segment says how far this one should have told. */
function afterSegment(
  { segments }: SegmentsToRead,
  segment: EventSegment,
  index: bigint,
): PagePart | undefined {
  const next = segments[segments.indexOf(segment) + 1]
  if (next === undefined) return undefined
  const place = { path: next.path, position: 0 }
  if (index >= next.firstIndex) return { items: [], next: { index, place } }
  const gap = gapOf(index, next.firstIndex - 1n, 'unreadable')
  return { items: [gap], next: { index: next.firstIndex, place } }
}

/** Nothing behind a damage can be found; what comes next is in the next segment, or not written yet. */
function unreadable(
  { segments, through }: SegmentsToRead,
  segment: EventSegment,
  index: bigint,
): PagePart {
  const place = { path: segment.path, position: segment.sizeBytes }
  if (segment !== segments.at(-1) || index > through) return { items: [], next: { index, place } }
  return {
    items: [gapOf(index, through, 'unreadable')],
    next: { index: through + 1n, place },
  }
}

/** Undefined when the segment has gone meanwhile. */
async function framesOf(
  fileSystem: FileSystem,
  { segments }: SegmentsToRead,
  at: { segment: EventSegment; position: number },
): Promise<Frame[] | undefined> {
  const { segment, position } = at
  const { path, sizeBytes } = segment
  let file: File
  try {
    file = await fileSystem.open(path, 'read')
  } catch (error) {
    const isAbsent = error instanceof FileSystemError && error.code === 'ENOENT'
    if (isAbsent && !segments.includes(segment)) return undefined
    throw error
  }
  try {
    return await framesAt(file, position, sizeBytes)
  } finally {
    await file.close()
  }
}

function itemsOf(
  frames: readonly Frame[],
  request: PageRequest & { readonly path: string; readonly position: number },
): PagePart {
  const { limit, sinceMs, path } = request
  const items: TimelineItem[] = []
  let { position } = request
  let { index } = request.from
  let count = 0
  for (const frame of frames) {
    if (count >= limit) break
    position += frame.sizeBytes
    if (frame.index < index) continue
    const item = frame.timeMs < sinceMs ? undefined : itemOf(frame, index)
    if (item !== undefined) items.push(item)
    if (item?.kind === 'events') count += item.events.length
    index = frame.isLast ? frame.index + 1n : frame.index
  }
  return { items, next: { index, place: { path, position } } }
}

function itemOf(frame: Frame, index: bigint): TimelineItem | undefined {
  if (frame.kind === 'mark') return undefined
  if (frame.kind === 'events') return eventsIn(frame)
  const gap = gapIn(frame)
  return gap.fromIndex < index ? { ...gap, fromIndex: index } : gap
}

function gapOf(fromIndex: bigint, index: bigint, reason: GapReason): TimelineGap {
  return { kind: 'gap', fromIndex, index, reason }
}
