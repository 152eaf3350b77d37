import { silentLogger } from '@naru/base'
import { emptyImage, refusal } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import { SimulatedClock } from '@naru/simulator'
import { beforeEach, expect, it } from 'vitest'
import {
  DeletionConfirmations,
  type DeletionConfirmationsOptions,
} from './deletion-confirmations.ts'
import type { Deletion } from './partitions.ts'

const nodeId = 2
const timedOut = refusal(kafkaErrors.REQUEST_TIMED_OUT, 'no controller')

let clock: SimulatedClock
let confirmations: DeletionConfirmations
let image: ReturnType<typeof emptyImage>
/** What the controller was told, and when. */
let told: { readonly atMs: number; readonly topics: readonly string[] }[]
/** Whether it hears it. */
let isThere: boolean
/** Whether its answer arrives. */
let isAnswered: boolean

beforeEach(() => {
  clock = new SimulatedClock()
  image = emptyImage()
  told = []
  isThere = true
  isAnswered = true
  const submit = async ({ deletions }: { deletions: readonly Deletion[] }) => {
    told.push({ atMs: clock.monotonic(), topics: deletions.map(({ topicId }) => topicId) })
    if (isThere) for (const { topicId } of deletions) image.deletedTopics.delete(topicId)
    return isThere && isAnswered ? {} : timedOut
  }
  const metadata = { image, submit } as unknown as DeletionConfirmationsOptions['metadata']
  confirmations = new DeletionConfirmations({ nodeId, metadata, clock, logger: silentLogger })
})

/** The records are there, and the data is not any more. */
function gone(...topicIds: readonly string[]): Deletion[] {
  for (const topicId of topicIds) {
    image.deletedTopics.set(topicId, { topicId, name: topicId, holders: [nodeId] })
  }
  return topicIds.map((topicId) => ({ topicId, partition: -1 }))
}

const topics = () => told.map((each) => each.topics)

it('says once what is heard', async () => {
  confirmations.add(gone('a'))
  await clock.drive(clock.pause(300_000))
  expect(topics()).toEqual([['a']])
})

it('says it again until it is heard, ever more rarely, along with what came meanwhile', async () => {
  isThere = false
  confirmations.add(gone('a'))
  await clock.drive(clock.pause(200))
  confirmations.add(gone('b'))
  await clock.drive(clock.pause(300_000))
  const pauses = told.slice(1).map(({ atMs }, index) => atMs - (told[index]?.atMs ?? 0))
  expect(pauses.slice(0, 6)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000])
  expect(Math.max(...pauses)).toBe(30_000)
  expect(topics().slice(0, 2)).toEqual([['a'], ['a', 'b']])
  isThere = true
  await clock.drive(clock.pause(30_000))
  expect([...image.deletedTopics.keys()]).toEqual([])
  const count = told.length
  await clock.drive(clock.pause(300_000))
  expect(told).toHaveLength(count)
  // The next one is as urgent as the first.
  isThere = false
  confirmations.add(gone('c'))
  await clock.drive(clock.pause(1_500))
  expect(topics().slice(count)).toEqual([['c'], ['c']])
})

it('does not repeat what was heard though the answer was lost', async () => {
  isAnswered = false
  confirmations.add(gone('a'))
  await clock.drive(clock.pause(300_000))
  expect(topics()).toEqual([['a']])
})

it('says much in several parts, one after the other', async () => {
  const names = Array.from({ length: 4_500 }, (_, index) => `t${index}`)
  confirmations.add(gone(...names))
  await clock.drive(clock.pause(1_000))
  expect(topics().map(({ length }) => length)).toEqual([2_000, 2_000, 500])
  expect(topics().flat()).toEqual(names)
})

it('is silent after its stop', async () => {
  isThere = false
  confirmations.add(gone('a'))
  await clock.drive(clock.pause(500))
  confirmations.stop()
  confirmations.add(gone('b'))
  await clock.drive(clock.pause(300_000))
  expect(topics()).toEqual([['a']])
})
