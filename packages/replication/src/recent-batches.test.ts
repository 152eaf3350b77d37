import { describe, expect, test } from 'vitest'
import { RecentBatches, RecentBytes } from './recent-batches.ts'

const mb = 1 << 20

/** Batches of one record each, `bytes` long. */
function appended(recent: RecentBatches, offsets: readonly number[], bytes = 100): void {
  for (const offset of offsets) {
    const baseOffset = BigInt(offset)
    recent.appended({ baseOffset, nextOffset: baseOffset + 1n, bytes: Buffer.alloc(bytes) })
  }
}

describe('batches in memory', () => {
  test('stay while the log has not confirmed them, whoever needs them', () => {
    const recent = new RecentBatches(new RecentBytes(0))
    appended(recent, [0, 1, 2])
    recent.drop(1n, 3n)
    expect(recent.startOffset).toBe(1n)
  })

  test('stay for a follower that has not been sent them, though the log has confirmed them', () => {
    const recent = new RecentBatches(new RecentBytes())
    appended(recent, [0, 1, 2])
    recent.drop(3n, 1n)
    expect(recent.from(1n, mb)?.nextOffset).toBe(3n)
    recent.drop(3n, 3n)
    expect(recent.startOffset).toBeUndefined()
  })

  test('are given up for a follower that falls too far behind', () => {
    const recent = new RecentBatches(new RecentBytes())
    appended(recent, [0, 1, 2, 3, 4, 5], mb)
    recent.drop(6n, 0n)
    expect(recent.startOffset).toBe(2n)
  })

  test('are given up where all leaders of a broker keep too much together', () => {
    const together = new RecentBytes(2 * mb)
    const other = new RecentBatches(together)
    appended(other, [0, 1], mb)
    const recent = new RecentBatches(together)
    appended(recent, [0, 1], mb)
    recent.drop(2n, 0n)
    expect(recent.startOffset).toBeUndefined()
    other.clear()
    appended(recent, [2], mb)
    recent.drop(3n, 2n)
    expect(recent.startOffset).toBe(2n)
  })
})
