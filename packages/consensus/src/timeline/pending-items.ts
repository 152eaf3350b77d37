/** What is to be written to the event file, in order and bounded, and behind it the gap that is open: what will never be told. */
import type { FrameBatch } from './event-segments.ts'
import { encodeFrame, type Mark } from './frame.ts'
import type { EntryEvents, GapReason, TimelineGap, TimelineItem } from './timeline-item.ts'

/** Events that wait at most; those of one entry may go beyond. A fence of a broker that leads 30,000 partitions is 60,000. */
export const pendingEventsMax = 1 << 16
/** In one frame, and in one write: about 2 ms of encoding. */
const frameEventsMax = 256
const batchEventsMax = 1_024

export class PendingItems {
  #items: (TimelineItem | Mark)[] = []
  /** How many events of the first item are written. */
  #offset = 0
  #events = 0
  #taken = { items: 0, offset: 0, events: 0 }
  #gap: TimelineGap | undefined

  get isEmpty(): boolean {
    return this.#items.length === 0
  }

  /** Follows everything that waits; goes to the file before the next event. */
  get gap(): TimelineGap | undefined {
    return this.#gap
  }

  /** When there are too many it is missed. */
  add(item: EntryEvents): void {
    const { index, events } = item
    if (this.#events >= pendingEventsMax) {
      this.miss(index, index, 'overload')
      return
    }
    this.#closeGap()
    this.#items.push(item)
    this.#events += events.length
  }

  /** Up to `index` nothing is missing that does not wait. */
  mark(index: bigint): void {
    this.#closeGap()
    if (this.#items.at(-1)?.kind === 'mark') this.#items.pop()
    this.#items.push({ kind: 'mark', index })
  }

  miss(fromIndex: bigint, index: bigint, reason: GapReason): void {
    this.#gap = { kind: 'gap', fromIndex: this.#gap?.fromIndex ?? fromIndex, index, reason }
  }

  /** What waits is missed. */
  giveUp(): void {
    const items = this.#items.filter((item) => item.kind !== 'mark')
    const [first] = items
    const last = this.#gap ?? items.at(-1)
    this.#items = []
    this.#offset = 0
    this.#events = 0
    if (first === undefined || last === undefined) return
    this.#gap = undefined
    this.miss(first.kind === 'gap' ? first.fromIndex : first.index, last.index, 'disk')
  }

  /** What to write next behind what tells of everything up to `through`; it waits until it is `written`. */
  next(through: bigint, nowMs: number): FrameBatch | undefined {
    this.#skip(through)
    const frames: Buffer[] = []
    const times: number[] = []
    const taken = { items: 0, offset: this.#offset, events: 0 }
    let reached = through
    while (taken.events < batchEventsMax) {
      const item = this.#items[taken.items]
      if (item === undefined) break
      if (item.kind === 'mark' && item.index <= reached) {
        taken.items++
        continue
      }
      const piece = pieceOf(item, taken.offset, reached)
      const timeMs = timeOf(piece, nowMs)
      frames.push(encodeFrame(piece, timeMs))
      times.push(timeMs)
      const count = piece.kind === 'events' ? piece.events.length : 0
      taken.events += count
      const isDone = piece.kind !== 'events' || piece.isLast
      taken.offset = isDone ? 0 : taken.offset + count
      if (!isDone) continue
      taken.items++
      reached = item.index
    }
    const isStart = this.#offset === 0
    this.#taken = taken
    if (frames.length === 0) {
      this.written()
      return undefined
    }
    const [firstMs, lastMs] = [times[0] as number, times.at(-1) as number]
    return { frames, isStart, through: reached, firstMs, lastMs }
  }

  /** The last batch is in the file. */
  written(): void {
    this.#items.splice(0, this.#taken.items)
    this.#offset = this.#taken.offset
    this.#events -= this.#taken.events
  }

  #closeGap(): void {
    if (this.#gap === undefined) return
    this.#items.push(this.#gap)
    this.#gap = undefined
  }

  /** Where the file could not be opened at once, it may turn out to have some of it. */
  #skip(through: bigint): void {
    for (let [first] = this.#items; first !== undefined && first.index <= through; ) {
      this.#items.shift()
      if (first.kind === 'events') this.#events -= first.events.length - this.#offset
      this.#offset = 0
      first = this.#items[0]
    }
  }
}

/** As much of an item as goes into one frame: a frame has one time and one cause. */
function pieceOf(item: TimelineItem | Mark, offset: number, through: bigint): TimelineItem | Mark {
  if (item.kind === 'mark') return item
  if (item.kind === 'gap') {
    return item.fromIndex > through ? item : { ...item, fromIndex: through + 1n }
  }
  const { events } = item
  const limit = Math.min(offset + frameEventsMax, events.length)
  const [first] = events.slice(offset, offset + 1)
  let end = offset + 1
  while (
    end < limit &&
    events[end]?.timestampMs === first?.timestampMs &&
    events[end]?.cause === first?.cause
  ) {
    end++
  }
  return { ...item, events: events.slice(offset, end), isLast: end === events.length }
}

/** The time of the decision, where it is known. */
function timeOf(item: TimelineItem | Mark, nowMs: number): number {
  const timestampMs = item.kind === 'events' ? (item.events[0]?.timestampMs ?? -1) : -1
  return timestampMs < 0 ? nowMs : timestampMs
}
