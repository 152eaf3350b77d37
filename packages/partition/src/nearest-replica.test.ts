import { expect, it } from 'vitest'
import { nearestReplica, type ReaderPlace, type ServingFollower } from './nearest-replica.ts'

const reader: ReaderPlace = { rack: 'b', leaderRack: 'a', fetchOffset: 50n }

/** Broker 2 in the reader's rack, with the offsets 10 to 99. */
function follower(changes: Partial<ServingFollower> = {}): ServingFollower {
  return { nodeId: 2, rack: 'b', logStartOffset: 10n, logEndOffset: 100n, ...changes }
}

it('a reader is sent to a follower in its rack', () => {
  const elsewhere = follower({ nodeId: 3, rack: 'c', logEndOffset: 200n })
  expect(nearestReplica([elsewhere, follower()], reader)).toBe(2)
})

it.each<[string, Partial<ReaderPlace>]>([
  ['that does not say where it is', { rack: '' }],
  ['in the rack of the leader', { leaderRack: 'b' }],
  ['in a rack without a replica', { rack: 'd' }],
])('a reader %s stays with the leader', (_, changes) => {
  expect(nearestReplica([follower()], { ...reader, ...changes })).toBeUndefined()
})

it('an empty rack is not the rack of brokers that name none', () => {
  expect(nearestReplica([follower({ rack: '' })], { ...reader, rack: '' })).toBeUndefined()
})

it.each<[bigint, number | undefined]>([
  [9n, undefined],
  [10n, 2],
  [100n, 2],
  [101n, undefined],
])('the follower must hold the offset %i, or end there', (fetchOffset, expected) => {
  expect(nearestReplica([follower()], { ...reader, fetchOffset })).toBe(expected)
})

it('a follower that does not say where its log begins is not chosen', () => {
  const silent = follower({ logStartOffset: undefined })
  expect(nearestReplica([silent], { ...reader, fetchOffset: 100n })).toBeUndefined()
})

it('of several the one that has come furthest is chosen, and the first of those', () => {
  const far = (nodeId: number, logEndOffset: bigint) => follower({ nodeId, logEndOffset })
  expect(nearestReplica([far(2, 100n), far(3, 101n), far(4, 101n)], reader)).toBe(3)
})
