import { expect, it } from 'vitest'
import type { EventsMessage } from './cluster-events.ts'
import { EventProgress } from './event-progress.ts'

/** Topics `INDEX-AT`, for each `INDEX-AT` of the list. */
function message(nextIndex: number, ...names: readonly string[]): EventsMessage {
  const events = names.map((topic) => {
    const time = { seconds: '1700000000', nanos: 123_000_000 }
    const [index = ''] = topic.split('-')
    const topicCreated = { topic, topicId: 'id' }
    return { index, time, cause: 'createTopic', event: 'topicCreated' as const, topicCreated }
  })
  return { events, nextIndex: String(nextIndex) }
}

function told(progress: EventProgress, each: EventsMessage): string[] {
  return [...progress.news(each)].map((event) => ('topic' in event ? event.topic : event.type))
}

it('goes on behind the last entry', () => {
  const progress = new EventProgress()
  expect(progress.nextIndex).toBe(0n)
  expect(told(progress, message(6, '3-0', '5-0'))).toEqual(['3-0', '5-0'])
  expect(progress.nextIndex).toBe(6n)
  progress.begin()
  expect(told(progress, message(8, '7-0'))).toEqual(['7-0'])
})

it('tells the rest of an entry that was begun at another broker', () => {
  const progress = new EventProgress()
  expect(told(progress, message(5, '4-0', '5-0', '5-1'))).toEqual(['4-0', '5-0', '5-1'])
  expect(told(progress, message(5, '5-2'))).toEqual(['5-2'])
  progress.begin()
  expect(progress.nextIndex).toBe(5n)
  // It cuts in other places, and is gone again.
  expect(told(progress, message(5, '5-0'))).toEqual([])
  progress.begin()
  expect(told(progress, message(5, '5-0', '5-1'))).toEqual([])
  expect(told(progress, message(7, '5-2', '5-3', '6-0'))).toEqual(['5-3', '6-0'])
})

it('leaves out events that it does not know', () => {
  const progress = new EventProgress()
  const newer = { events: [{ index: '2', time: null, cause: '' }], nextIndex: '3' }
  expect(told(progress, newer)).toEqual([])
  expect(progress.nextIndex).toBe(3n)
})
