import { expect, it } from 'vitest'
import { expiredSegments, isActiveSegmentExpired, type RetainedSegment } from './retention.ts'

const segment = (baseOffset: number, newestMs: number): RetainedSegment => ({
  baseOffset: BigInt(baseOffset),
  sizeBytes: 100,
  newestMs,
})
const segments = [segment(0, 1_000), segment(10, 2_000), segment(20, 3_000), segment(30, 4_000)]
const none = { retentionMs: -1, retentionBytes: -1 }

it.each([
  { what: 'nothing without a limit', policy: none, nowMs: 1e9, highWatermark: 40n, count: 0 },
  {
    what: 'what is too old',
    policy: { ...none, retentionMs: 5_000 },
    nowMs: 7_500,
    highWatermark: 40n,
    count: 2,
  },
  {
    what: 'never the last segment',
    policy: { ...none, retentionMs: 0 },
    nowMs: 1e9,
    highWatermark: 40n,
    count: 3,
  },
  {
    what: 'what is above the size',
    policy: { ...none, retentionBytes: 200 },
    nowMs: 0,
    highWatermark: 40n,
    count: 2,
  },
  {
    what: 'nothing that would go below the size',
    policy: { ...none, retentionBytes: 350 },
    nowMs: 0,
    highWatermark: 40n,
    count: 0,
  },
  {
    what: 'nothing at or above the high watermark',
    policy: { ...none, retentionMs: 0 },
    nowMs: 1e9,
    highWatermark: 15n,
    count: 1,
  },
])('expiredSegments() takes $what', ({ policy, nowMs, highWatermark, count }) => {
  expect(expiredSegments(segments, policy, { nowMs, highWatermark })).toBe(count)
})

it('isActiveSegmentExpired() lets an old active segment be closed, never an empty one', () => {
  const policy = { retentionMs: 100, retentionBytes: -1 }
  expect(isActiveSegmentExpired(segment(0, 1_000), policy, 1_101)).toBe(true)
  expect(isActiveSegmentExpired(segment(0, 1_000), policy, 1_100)).toBe(false)
  expect(isActiveSegmentExpired({ ...segment(0, 0), sizeBytes: 0 }, policy, 1e9)).toBe(false)
})
