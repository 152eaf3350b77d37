import { expect, it } from 'vitest'
import { decodeLeaderEpochs, encodeLeaderEpochs, LeaderEpochs } from './leader-epochs.ts'

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
