import { expect, it } from 'vitest'
import { FollowerProgress } from './follower-progress.ts'
import { offsets } from './testing/leader.ts'

const lagMsMax = 100

const end = (offset: bigint, isFlushed = true) => ({ offset, isFlushed })

function follower(logEndOffset: bigint, leaderEndOffset: bigint, caughtUpMs = 0) {
  return new FollowerProgress({
    nodeId: 2,
    brokerEpoch: 1n,
    logStartOffset: 0n,
    offsets: offsets(logEndOffset),
    caughtUpMs,
    leaderEnd: end(leaderEndOffset),
    nowMs: 0,
  })
}

it('a follower has caught up as of the time whose end of the leader’s log it has reached (D12)', () => {
  const progress = follower(0n, 10n, -50)
  expect(progress.caughtUpMs).toBe(-50)
  progress.acknowledged(offsets(9n), end(20n), 30)
  expect(progress.caughtUpMs, 'the end at 0 ms is not reached').toBe(-50)
  progress.acknowledged(offsets(10n), end(20n), 40)
  expect(progress.caughtUpMs, 'that of 0 ms is').toBe(0)
  progress.acknowledged(offsets(20n), end(30n), 70)
  expect(progress.caughtUpMs, 'that of 40 ms is').toBe(40)
  progress.acknowledged(offsets(30n), end(30n), 80)
  expect(progress.caughtUpMs, 'there is no more').toBe(80)
})

it('a follower that is always a little behind does not lag (KAFKA testShouldNotShrinkIsrIfPreviousFetchIsCaughtUp)', () => {
  const progress = follower(0n, 10n)
  for (let round = 1n; round <= 100n; round++) {
    const nowMs = Number(round) * 60
    const leaderEnd = end((round + 1n) * 10n)
    progress.acknowledged(offsets(round * 10n), leaderEnd, nowMs)
    progress.observe(leaderEnd, nowMs)
    expect(progress.isLagging(leaderEnd, nowMs, lagMsMax)).toBe(false)
  }
})

it('a follower that gets slower than the leader lags at last, however often somebody looks', () => {
  const progress = follower(0n, 10n)
  progress.acknowledged(offsets(5n), end(100n), 60)
  progress.observe(end(100n), 100)
  expect(progress.isLagging(end(100n), 100, lagMsMax)).toBe(false)
  progress.acknowledged(offsets(9n), end(200n), 101)
  progress.observe(end(200n), 101)
  expect(progress.isLagging(end(200n), 101, lagMsMax)).toBe(true)
})

it('a follower that had everything is not to blame for a silence in which nothing came', () => {
  const progress = follower(10n, 10n)
  progress.observe(end(10n), 1_000_000)
  expect(progress.isLagging(end(10n), 1_000_000, lagMsMax)).toBe(false)
  progress.observe(end(11n), 2_000_000)
  expect(progress.isLagging(end(11n), 2_000_000, lagMsMax)).toBe(false)
  progress.observe(end(12n), 2_000_101)
  expect(progress.isLagging(end(12n), 2_000_101, lagMsMax)).toBe(true)
})

it('a follower whose disk hangs lags where acknowledged means flushed', () => {
  const progress = follower(10n, 10n)
  progress.acknowledged(offsets(20n, 10n), end(20n), 50)
  expect(progress.isLagging(end(20n), 101, lagMsMax)).toBe(true)
  expect(progress.isLagging(end(20n, false), 101, lagMsMax)).toBe(false)
})
