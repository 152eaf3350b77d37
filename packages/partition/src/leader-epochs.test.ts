import { describe, expect, it } from 'vitest'
import {
  agreedEnd,
  decodeLeaderEpochs,
  divergence,
  encodeLeaderEpochs,
  LeaderEpochs,
} from './leader-epochs.ts'

function epochs(...starts: [number, bigint][]): LeaderEpochs {
  const made = new LeaderEpochs()
  for (const [epoch, startOffset] of starts) made.assign(epoch, startOffset)
  return made
}

it('endOffsetOf() gives the largest epoch at or below the one asked for, as far as is known (KIP-279)', () => {
  const made = epochs([1, 0n], [3, 10n], [4, 25n])
  expect(made.endOffsetOf(1, 30n)).toEqual({ epoch: 1, endOffset: 10n })
  expect(made.endOffsetOf(2, 30n)).toEqual({ epoch: 1, endOffset: 10n })
  expect(made.endOffsetOf(3, 30n)).toEqual({ epoch: 3, endOffset: 25n })
  expect(made.endOffsetOf(4, 30n)).toEqual({ epoch: 4, endOffset: 30n })
  expect(made.endOffsetOf(9, 30n)).toBeUndefined()
  expect(made.endOffsetOf(0, 30n)).toEqual({ epoch: 0, endOffset: 0n })
  expect(made.endOffsetOf(-1, 30n)).toBeUndefined()
  expect(epochs().endOffsetOf(0, 0n)).toBeUndefined()
})

it('an epoch in which nothing was written gives way to the next', () => {
  expect(epochs([1, 0n], [2, 10n], [3, 10n]).entries).toEqual([
    { epoch: 1, startOffset: 0n },
    { epoch: 3, startOffset: 10n },
  ])
})

it('truncation keeps the entries sorted and inside the log', () => {
  const made = epochs([1, 0n], [3, 10n], [4, 25n])
  made.truncateEnd(25n)
  expect(made.latest).toBe(3)
  made.truncateStart(12n)
  expect(made.entries).toEqual([{ epoch: 3, startOffset: 12n }])
})

it('the checkpoint is read as it was written, and not at all when it is cut off', () => {
  const { entries } = epochs([1, 0n], [3, 10n])
  const bytes = encodeLeaderEpochs(entries)
  expect(decodeLeaderEpochs(bytes)).toEqual(entries)
  expect(decodeLeaderEpochs(bytes.subarray(0, bytes.length - 4))).toBeUndefined()
})

it('a log that begins anew knows its epochs from there on (KAFKA-15608)', () => {
  const made = epochs([1, 0n], [3, 10n])
  made.truncateEnd(0n)
  expect(made.latest).toBeUndefined()
  made.assign(5, 40n)
  expect(made.endOffsetOf(5, 40n)).toEqual({ epoch: 5, endOffset: 40n })
  expect(made.endOffsetOf(4, 40n)).toEqual({ epoch: 4, endOffset: 40n })
})

describe('an epoch that a leadership began without writing', () => {
  it('is kept when its first batch comes', () => {
    const led = epochs([1, 0n], [3, 10n])
    led.assign(3, 10n)
    expect(led.entries).toEqual(epochs([1, 0n], [3, 10n]).entries)
  })

  it('gives way to an earlier one whose end the log only gets now', () => {
    // The broker led epoch 3 for a moment; now it follows, and gets the rest of epoch 1.
    const led = epochs([1, 0n], [3, 10n])
    led.assign(1, 10n)
    expect(led.entries).toEqual([{ epoch: 1, startOffset: 0n }])
    expect(led.endOffsetOf(1, 20n)).toEqual({ epoch: 1, endOffset: 20n })
  })

  it('gives way to an earlier one that the log did not have', () => {
    const led = epochs([1, 0n], [3, 10n])
    led.assign(2, 10n)
    expect(led.entries).toEqual(epochs([1, 0n], [2, 10n]).entries)
  })
})

/** A log as the epochs of its records: `[1, 1, 2]` has offsets 0 and 1 in epoch 1, offset 2 in epoch 2. */
function logOf(records: readonly number[], leadsIn?: number) {
  const known = new LeaderEpochs()
  for (const [offset, epoch] of records.entries()) known.assign(epoch, BigInt(offset))
  if (leadsIn !== undefined) known.assign(leadsIn, BigInt(records.length))
  return { known, lastEpoch: records.at(-1) ?? -1, logEndOffset: BigInt(records.length) }
}

/** Lets a follower cut its log as often as the leader wants it. Gives every end in turn. */
function cutsOf(leads: readonly number[], follows: readonly number[], leadsIn = 9): number[] {
  const leader = logOf(leads, leadsIn)
  let records = follows
  const cuts: number[] = []
  for (;;) {
    const follower = logOf(records)
    const end = divergence(leader.known, leader.logEndOffset, follower)
    if (end === undefined) {
      expect(records).toEqual(leads.slice(0, records.length))
      return cuts
    }
    const agreed = Number(agreedEnd(follower.known, follower.logEndOffset, end))
    expect(agreed, 'each round cuts, or names an earlier epoch').toBeLessThan(records.length)
    records = records.slice(0, agreed)
    cuts.push(agreed)
  }
}

describe('divergence (D3) and agreedEnd (D4)', () => {
  it.each([
    ['A: the follower is behind in the same epoch', [1, 1, 1, 1], [1, 1], []],
    ['B: the leader has a later epoch besides', [1, 1, 2, 2], [1, 1], []],
    ['C: the follower is ahead in the same epoch', [1, 1], [1, 1, 1, 1], [2]],
    ['D: the follower is ahead with a later epoch', [1, 1], [1, 1, 2, 2], [2]],
    ['E: both go on, each with an epoch of its own', [1, 1, 3, 3], [1, 1, 2, 2], [2]],
    ['F: the follower left earlier than the leader', [1, 1], [1, 2], [1]],
    ['G: no epoch in common', [1, 3], [2, 2], [0]],
  ])('case %s', (_, leads, follows, cuts) => {
    expect(cutsOf(leads, follows)).toEqual(cuts)
  })

  it('finds nothing to cut in an empty log, nor in an equal one', () => {
    expect(cutsOf([1, 1], [])).toEqual([])
    expect(cutsOf([], [])).toEqual([])
    expect(cutsOf([1, 2], [1, 2])).toEqual([])
  })

  it('does not trust an equal end: the records before it may be others (Fluss #4269)', () => {
    expect(cutsOf([1, 1, 3], [1, 1, 2])).toEqual([2])
    expect(cutsOf([1, 3, 3], [1, 1, 1])).toEqual([1])
  })

  it('keeps what a high watermark that lags would have cut (KIP-101, KAFKA-1211)', () => {
    // Restarted followers once cut to their high watermark, which comes a round trip late.
    expect(cutsOf([1, 1, 1], [1, 1])).toEqual([])
  })

  it('goes back epoch by epoch after several quick failovers (KIP-279, KAFKA-6361)', () => {
    expect(cutsOf([1, 1, 4, 6], [1, 2, 3, 5])).toEqual([3, 1])
    expect(cutsOf([1, 3, 3, 6], [1, 2, 4, 5])).toEqual([2, 1])
    expect(cutsOf([2, 4, 6], [1, 3, 5])).toEqual([2, 1, 0])
  })

  it('is not misled by a leadership of the follower in which nothing was written', () => {
    const follower = logOf([1, 1, 1], 2)
    const leader = logOf([1, 1], 3)
    const end = divergence(leader.known, 2n, follower)
    expect(end).toEqual({ epoch: 1, endOffset: 2n })
    expect(agreedEnd(follower.known, 3n, { epoch: 1, endOffset: 2n })).toBe(2n)
  })
})
