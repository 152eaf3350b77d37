// Who may watch, and how it ends.
import { FileSystemError } from '@naru/base'
import type { TimelineItem, TimelinePage } from '@naru/consensus'
import { systemClock } from '@naru/platform'
import { expect, it } from 'vitest'
import { type EventsPage, EventWatches, type EventWatchesOptions } from './event-watches.ts'

type Metadata = EventWatchesOptions['metadata']
type Timeline = NonNullable<Metadata['timeline']>

const gap = (index: bigint): TimelineItem => {
  return { kind: 'gap', fromIndex: index, index, reason: 'observer' }
}

/** Pages one after the other; then there is no more until the signal. */
function timelineOf(...pages: (TimelinePage | Error)[]): Timeline {
  const timeline: Pick<Timeline, 'version' | 'written' | 'events' | 'changed'> = {
    version: 0,
    written: async () => {},
    events: async ({ from }) => {
      const page = pages.shift() ?? { items: [], next: from, isEnd: true }
      if (page instanceof Error) throw page
      return page
    },
    changed: (_, signal) =>
      new Promise((resolve) => {
        if (pages.length > 0 || signal.aborted) resolve()
        signal.addEventListener('abort', () => resolve())
      }),
  }
  return timeline as Timeline
}

function watches(metadata: Partial<Metadata>): EventWatches {
  const known = { timeline: undefined, voterIds: [3, 1, 2], ...metadata }
  return new EventWatches({ nodeId: 4, metadata: known, clock: systemClock })
}

const request = { fromIndex: 0n, maxAgeMs: Number.POSITIVE_INFINITY, isFollowing: true }
const page = (index: bigint, isEnd: boolean): TimelinePage => {
  return { items: [gap(index)], next: { index: index + 1n }, isEnd }
}

it('reads to the end, or goes on until it is aborted', async () => {
  const abort = new AbortController()
  const events = watches({ timeline: timelineOf(page(1n, false), page(2n, true), page(3n, true)) })
  const told: EventsPage[] = []
  for await (const each of events.watch(request, abort.signal)) {
    told.push(each as EventsPage)
    if (told.length === 3) abort.abort()
  }
  expect(told.map(({ nextIndex }) => nextIndex)).toEqual([2n, 3n, 4n])
  const once = watches({ timeline: timelineOf(page(1n, false), page(2n, true), page(3n, true)) })
  const all = await Array.fromAsync(
    once.watch({ ...request, isFollowing: false }, new AbortController().signal),
  )
  expect(all).toHaveLength(2)
})

it('names the voters where there is nothing to read, also when the vote is taken meanwhile', async () => {
  const abort = new AbortController()
  const metadata = { timeline: timelineOf(page(1n, false)), voterIds: [3, 1, 2] }
  const events = new EventWatches({ nodeId: 4, metadata, clock: systemClock })
  const watching = events.watch(request, abort.signal)
  expect((await watching.next()).value).toMatchObject({ nextIndex: 2n })
  Object.assign(metadata, { timeline: undefined })
  expect((await watching.next()).value).toMatchObject({
    error: { name: 'NOT_CONTROLLER' },
    message: 'Broker 4 has no vote in the quorum and keeps no events: ask one of 1, 2, 3',
  })
  expect((await watching.next()).done).toBe(true)
})

it('refuses when the file cannot be read', async () => {
  const failing = timelineOf(new FileSystemError('EIO', 'open', '/timeline/events-1'))
  const { value } = await watches({ timeline: failing })
    .watch(request, new AbortController().signal)
    .next()
  expect(value).toMatchObject({
    error: { name: 'KAFKA_STORAGE_ERROR' },
    message: 'Cannot open /timeline/events-1: EIO',
  })
})

it('takes a bounded number of watchers, and others when some have gone', async () => {
  const abort = new AbortController()
  const pages = Array.from({ length: 70 }, (_, at) => page(BigInt(at + 1), false))
  const events = watches({ timeline: timelineOf(...pages) })
  const begun = Array.from({ length: 64 }, () => events.watch(request, abort.signal))
  for (const watching of begun) await watching.next()
  const next = async () => (await events.watch(request, abort.signal).next()).value
  expect(await next()).toMatchObject({ error: { name: 'THROTTLING_QUOTA_EXCEEDED' } })
  await begun[0]?.return()
  expect(await next()).toMatchObject({ nextIndex: 66n })
})
