import type { TimelineEvent } from '@naru/metadata'

/**
 * Why the timeline does not know what happened: a snapshot stood for the entries, this node did not vote, it could not keep up, the
 * disk failed, what was written cannot be read, or it is no longer kept.
 */
export const gapReasons = [
  'snapshot',
  'observer',
  'overload',
  'disk',
  'unreadable',
  'retention',
] as const
export type GapReason = (typeof gapReasons)[number]

/** Entries of the metadata log, first and last included, of which nobody knows here whether they had events. */
export interface TimelineGap {
  readonly kind: 'gap'
  readonly fromIndex: bigint
  readonly index: bigint
  readonly reason: GapReason
}

/** Events of one entry, in order; the events of a large one come in several items. */
export interface EntryEvents {
  readonly kind: 'events'
  readonly index: bigint
  /** The entry has no more. */
  readonly isLast: boolean
  readonly events: readonly TimelineEvent[]
}

export type TimelineItem = EntryEvents | TimelineGap

/** Where to read on: an index of the metadata log, which every voter understands, and what makes it quick on this one. */
export interface TimelinePosition {
  readonly index: bigint
  readonly place?: { readonly path: string; readonly position: number }
}

export interface TimelinePage {
  readonly items: readonly TimelineItem[]
  readonly next: TimelinePosition
  /** There was no more when it was read. */
  readonly isEnd: boolean
}
