/**
 * A record of the event file: length (4), CRC-32C of all that follows (4), kind (1), whether the entry ends with it (1), index (8),
 * time in milliseconds (8), content. Events of one entry; a gap; or a mark, which says that up to its index nothing is missing.
 */
import { crc32c, DecodeError } from '@naru/base'
import { decodeTimelineEvents, encodeTimelineEvents } from '@naru/metadata'
import {
  type EntryEvents,
  gapReasons,
  type TimelineGap,
  type TimelineItem,
} from './timeline-item.ts'

const prefixBytes = 8
const headBytes = 18
/** Bounds what a damaged length can make anybody read. Real frames are below 200 KB. */
const bodyBytesMax = 4 << 20
const kinds = ['events', 'gap', 'mark'] as const

export interface Frame {
  readonly kind: (typeof kinds)[number]
  readonly isLast: boolean
  /** After it, everything up to here is told; for events only with the last of an entry. */
  readonly index: bigint
  readonly timeMs: number
  readonly content: Buffer
  readonly sizeBytes: number
}

export interface Mark {
  readonly kind: 'mark'
  readonly index: bigint
}

export function encodeFrame(item: TimelineItem | Mark, timeMs: number): Buffer {
  const content = contentOf(item)
  const frame = Buffer.allocUnsafe(prefixBytes + headBytes + content.length)
  frame.writeUInt32BE(headBytes + content.length, 0)
  frame.writeUInt8(kinds.indexOf(item.kind), 8)
  frame.writeUInt8(item.kind !== 'events' || item.isLast ? 1 : 0, 9)
  frame.writeBigUInt64BE(item.index, 10)
  frame.writeBigInt64BE(BigInt(timeMs), 18)
  content.copy(frame, prefixBytes + headBytes)
  frame.writeUInt32BE(crc32c(frame.subarray(prefixBytes)), 4)
  return frame
}

/** The frame at `position`; how many bytes it needs when they are not all there; or undefined when it is none. */
export function frameAt(bytes: Buffer, position: number): Frame | number | undefined {
  const remaining = bytes.length - position
  if (remaining < prefixBytes) return prefixBytes
  const bodyBytes = bytes.readUInt32BE(position)
  if (bodyBytes < headBytes || bodyBytes > bodyBytesMax) return undefined
  const sizeBytes = prefixBytes + bodyBytes
  if (remaining < sizeBytes) return sizeBytes
  const body = bytes.subarray(position + prefixBytes, position + sizeBytes)
  const kind = kinds[body.readUInt8(0)]
  if (kind === undefined || crc32c(body) !== bytes.readUInt32BE(position + 4)) return undefined
  return {
    kind,
    isLast: body.readUInt8(1) === 1,
    index: body.readBigUInt64BE(2),
    timeMs: Number(body.readBigInt64BE(10)),
    content: body.subarray(headBytes),
    sizeBytes,
  }
}

export function eventsIn({ index, isLast, content }: Frame): EntryEvents | TimelineGap {
  try {
    return { kind: 'events', index, isLast, events: decodeTimelineEvents(content) }
  } catch (error) {
    // Whole, and yet not known: a newer version has written it.
    if (error instanceof DecodeError) {
      return { kind: 'gap', fromIndex: index, index, reason: 'unreadable' }
    }
    throw error
  }
}

export function gapIn({ index, content }: Frame): TimelineGap {
  const reason = gapReasons[content.readUInt8(8)] ?? 'unreadable'
  return { kind: 'gap', fromIndex: content.readBigUInt64BE(0), index, reason }
}

function contentOf(item: TimelineItem | Mark): Buffer {
  if (item.kind === 'events') return encodeTimelineEvents(item.events)
  if (item.kind === 'mark') return Buffer.alloc(0)
  const content = Buffer.alloc(9)
  content.writeBigUInt64BE(item.fromIndex, 0)
  content.writeUInt8(gapReasons.indexOf(item.reason), 8)
  return content
}
