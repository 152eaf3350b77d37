import { expect, it } from 'vitest'
import { SpareBuffers } from './spare-buffers.ts'

it('gives the same memory again, for frames of about the size', () => {
  const spare = new SpareBuffers(1 << 20)
  const first = spare.allocate(100_000)
  const other = spare.allocate(100_000)
  expect(other.buffer).not.toBe(first.buffer)
  spare.release(first)
  expect(spare.allocate(60_000).buffer).not.toBe(first.buffer)
  const again = spare.allocate(131_072)
  expect(again.buffer).toBe(first.buffer)
  expect([first.length, again.length]).toEqual([100_000, 131_072])
  expect(spare.allocate(100_000).buffer).not.toBe(first.buffer)
})

it('keeps no more than it may, and the memory that was used last', () => {
  const spare = new SpareBuffers(300_000)
  const frames = Array.from({ length: 3 }, () => spare.allocate(100_000))
  for (const frame of frames) spare.release(frame)
  const given = Array.from({ length: 3 }, () => spare.allocate(100_000).buffer)
  expect(given.slice(0, 2)).toEqual([frames[2]?.buffer, frames[1]?.buffer])
  expect(frames.map(({ buffer }) => buffer)).not.toContain(given[2])
})

it('leaves frames that are small or very large to others', () => {
  const spare = new SpareBuffers(64 << 20)
  for (const size of [0, 1_000, 3 << 20]) {
    const frame = spare.allocate(size)
    expect(frame.length).toBe(size)
    spare.release(frame)
    if (size > 1_000) expect(spare.allocate(size).buffer).not.toBe(frame.buffer)
  }
})
