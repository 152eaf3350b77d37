// When a log begins another segment.
import { expect, it } from 'vitest'
import { LogWorld } from './log-world.ts'

const journal = { fileCount: 3, fileBytes: 16 << 10, fileBytesMax: 16 << 10, fileCountMax: 3 }
const weekMs = 604_800_000

/** Of a log with batches of these times. */
async function segmentsOf(timestamps: readonly number[]): Promise<number> {
  const world = new LogWorld(1, { journal, dirtyBytesMax: { ack: 1, async: 1, never: 1 } })
  await world.open()
  world.create('a-0', 'ack', 0)
  await world.settle()
  for (const timestampMs of timestamps) {
    world.append('a-0', { valueBytes: 1, timestampMs })
    await world.confirmed()
  }
  const { length } = world.log('a-0').segments
  await world.quiet()
  return length
}

it('old records share a segment, however long ago they were', async () => {
  expect(await segmentsOf([0, 1, 2, weekMs])).toBe(1)
})

it('segment.ms counts from the first batch of a segment in the time of the records', async () => {
  expect(await segmentsOf([0, weekMs, weekMs + 1, 2 * weekMs + 1, 2 * weekMs + 2])).toBe(3)
})

it('records without a time begin no segment, and count for none', async () => {
  expect(await segmentsOf([-1, weekMs + 5, -1])).toBe(1)
  expect(await segmentsOf([5, -1])).toBe(1)
})
