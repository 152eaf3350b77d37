import { kafkaErrors } from '@naru/model'
import { describe, expect, it } from 'vitest'
import { type ReadableReplica, type ReadPosition, readObstacle } from './readable-replica.ts'

const { FENCED_LEADER_EPOCH, OFFSET_NOT_AVAILABLE, OFFSET_OUT_OF_RANGE } = kafkaErrors

/** The offsets 10 to 29 in the epochs 3 and 4, of which 20 are committed. */
function replica(changes: Partial<ReadableReplica> = {}): ReadableReplica {
  return {
    ...{ isLeader: true, isSettled: true },
    ...{ logStartOffset: 10n, highWatermark: 20n, lastStableOffset: 20n, logEndOffset: 30n },
    checkEpoch: (epoch) => (epoch >= 0 && epoch < 4 ? FENCED_LEADER_EPOCH : undefined),
    endOfEpoch: (epoch) => {
      if (epoch < 3) return { epoch: -1, endOffset: -1n }
      return epoch === 3 ? { epoch, endOffset: 15n } : { epoch: 4, endOffset: 30n }
    },
    ...changes,
  }
}

const follower = (changes: Partial<ReadableReplica> = {}) =>
  replica({ isLeader: false, ...changes })

function obstacleAt(
  of: ReadableReplica,
  fetchOffset: bigint,
  changes: Partial<ReadPosition> = {},
): unknown {
  const position = { fetchOffset, currentLeaderEpoch: -1, lastFetchedEpoch: -1, ...changes }
  const found = readObstacle(of, position)
  return found?.kind === 'error' ? found.error : found
}

it.each<[bigint, object | undefined, object | undefined]>([
  [9n, OFFSET_OUT_OF_RANGE, OFFSET_OUT_OF_RANGE],
  [10n, undefined, undefined],
  [20n, undefined, undefined],
  // The leader knows that it comes; a follower has it, and has not heard that it is committed.
  [21n, undefined, OFFSET_NOT_AVAILABLE],
  [30n, undefined, OFFSET_NOT_AVAILABLE],
  [31n, OFFSET_OUT_OF_RANGE, OFFSET_OUT_OF_RANGE],
])('offset %i of a leader, and of a follower', (offset, ofLeader, ofFollower) => {
  expect(obstacleAt(replica(), offset)).toBe(ofLeader)
  expect(obstacleAt(follower(), offset)).toBe(ofFollower)
})

it('a follower that is not settled calls nothing out of range', () => {
  const unsettled = follower({ isSettled: false })
  expect(obstacleAt(unsettled, 9n)).toBe(OFFSET_NOT_AVAILABLE)
  expect(obstacleAt(unsettled, 31n)).toBe(OFFSET_NOT_AVAILABLE)
  expect(obstacleAt(unsettled, 12n, { lastFetchedEpoch: 2 })).toBe(OFFSET_NOT_AVAILABLE)
})

it('the leadership comes first: what follows may be of another log', () => {
  expect(obstacleAt(follower(), 9n, { currentLeaderEpoch: 3 })).toBe(FENCED_LEADER_EPOCH)
  // Numbers below -1 ask for no check either.
  expect(obstacleAt(follower(), 12n, { currentLeaderEpoch: -7 })).toBeUndefined()
})

describe('the epoch of the last record that a client has (KIP-320)', () => {
  it.each([
    ['leader', replica()],
    ['follower', follower()],
  ])('is compared by a %s', (_, of) => {
    expect(obstacleAt(of, 15n, { lastFetchedEpoch: 3 })).toBeUndefined()
    const end = { kind: 'diverging', epoch: 3, endOffset: 15n }
    expect(obstacleAt(of, 16n, { lastFetchedEpoch: 3 })).toEqual(end)
    expect(obstacleAt(of, 12n, { lastFetchedEpoch: 2 })).toBe(OFFSET_OUT_OF_RANGE)
  })

  it('proves nothing above what a follower knows to be committed: it may be behind', () => {
    expect(obstacleAt(follower(), 21n, { lastFetchedEpoch: 5 })).toBe(OFFSET_NOT_AVAILABLE)
    const end = { kind: 'diverging', epoch: 4, endOffset: 30n }
    expect(obstacleAt(replica(), 31n, { lastFetchedEpoch: 4 })).toEqual(end)
  })
})
