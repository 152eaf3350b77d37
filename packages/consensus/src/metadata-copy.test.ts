import { encodeMetadataRecords, type MetadataRecord, type TimelineEvent } from '@naru/metadata'
import { systemClock } from '@naru/platform'
import { expect, it } from 'vitest'
import { type EventRecorder, MetadataCopy } from './metadata-copy.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAAQ'
const created: MetadataRecord[] = [
  { type: 'change', timestampMs: 7_000n, cause: 'createTopic' },
  { type: 'topic', topicId, name: 'orders' },
]
const deleted: MetadataRecord[] = [
  { type: 'change', timestampMs: 8_000n, cause: 'deleteTopic' },
  { type: 'removeTopic', topicId, holders: [] },
]

/** What the recorder and the listener hear, and the records that are applied, in order. */
function trial(who: { isRecorded: boolean; isHeard: boolean }) {
  const heard: [string, unknown][] = []
  const note = (name: string) => (what: unknown) => void heard.push([name, what])
  const recorder: EventRecorder = {
    apply: (index, events) => note(`recorded ${index}`)(events),
    restored: note('restored'),
    passed: note('passed'),
  }
  const copy = new MetadataCopy({
    clock: systemClock,
    recorder: who.isRecorded ? recorder : undefined,
    onEvents: who.isHeard ? note('told') : undefined,
    onApplied: (records) => note('applied')(records.length),
    onFatal: (error) => {
      throw error
    },
  })
  return { copy, heard }
}

it.each([
  { isRecorded: true, isHeard: true },
  { isRecorded: true, isHeard: false },
  { isRecorded: false, isHeard: true },
  { isRecorded: false, isHeard: false },
])('tells what an entry did to those who want it, before it is applied: %j', (who) => {
  const { copy, heard } = trial(who)
  copy.apply(encodeMetadataRecords(created), 4n)
  copy.apply(encodeMetadataRecords(deleted), 5n)
  const told = (index: number, events: Partial<TimelineEvent>[]) => [
    ...(who.isRecorded ? [[`recorded ${index}`, events]] : []),
    ...(who.isHeard ? [['told', events]] : []),
    ['applied', 2],
  ]
  // The name is that of the image before the entry.
  const topic = { topic: 'orders', topicId }
  expect(heard).toEqual([
    ...told(4, [{ type: 'topicCreated', ...topic, timestampMs: 7_000, cause: 'createTopic' }]),
    ...told(5, [{ type: 'topicDeleted', ...topic, timestampMs: 8_000, cause: 'deleteTopic' }]),
  ])
})

it('derives the events of an entry once', () => {
  const { copy, heard } = trial({ isRecorded: true, isHeard: true })
  copy.apply(encodeMetadataRecords(created), 4n)
  const [[, recorded], [, told]] = heard as [[string, unknown], [string, unknown]]
  expect(told).toBe(recorded)
})

it('tells the recorder up to where a snapshot stands for the entries', async () => {
  const { copy, heard } = trial({ isRecorded: true, isHeard: true })
  copy.apply(encodeMetadataRecords(created), 4n)
  const state = await copy.snapshot(4n)
  expect(heard.at(-1)).toEqual(['passed', 4n])
  const other = trial({ isRecorded: true, isHeard: true })
  other.copy.restore(state, 4n)
  expect(other.heard.map(([name]) => name)).toEqual(['restored', 'applied'])
  expect(other.heard[0]).toEqual(['restored', 4n])
})

it('says how far its follower is in line: entries that waited together, and a snapshot after those before it', async () => {
  const { copy } = trial({ isRecorded: false, isHeard: false })
  const ends: (() => void)[] = []
  const told: (number | string)[] = []
  const work = (what: number | string) => {
    told.push(what)
    return new Promise<void>((resolve) => ends.push(resolve))
  }
  /** Ends the work that is under way, and lets the next begin. */
  const end = async () => {
    ends.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
    return copy.followedIndex
  }
  await copy.follow({
    adopt: async () => {},
    follow: (records) => work(records.length),
    followAll: () => work('all'),
  })
  copy.apply(encodeMetadataRecords(created), 4n)
  await end()
  copy.apply(encodeMetadataRecords(deleted), 5n)
  copy.apply(encodeMetadataRecords(created), 6n)
  const state = await copy.snapshot(6n)
  copy.restore(state, 9n)
  copy.apply(encodeMetadataRecords(deleted), 10n)
  expect([await end(), await end(), await end(), await end()]).toEqual([4n, 6n, 9n, 10n])
  expect(told).toEqual([2, 4, 'all', 2])
})
