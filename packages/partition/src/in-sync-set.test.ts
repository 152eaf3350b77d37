import { describe, expect, it } from 'vitest'
import { InSyncSet, type IsrProposal } from './in-sync-set.ts'

function setOf(...isr: number[]): InSyncSet {
  return new InSyncSet({ partitionEpoch: 12, isr })
}

const proposed = (set: InSyncSet, ...members: number[]) =>
  set.propose(members, false) as IsrProposal

describe('maximal ISR (KIP-497)', () => {
  it.each([
    ['expanding: whoever may have joined', [1, 2], [1, 2, 3]],
    ['shrinking: whoever may still be there', [1, 2, 3], [1, 2]],
  ])('%s counts', (_, before, after) => {
    const set = setOf(...before)
    proposed(set, ...after)
    expect([...set.maximal].sort()).toEqual([1, 2, 3])
    expect(set.members).toEqual(before)
    set.adopt({ partitionEpoch: 13, isr: after })
    expect(set.maximal).toEqual(after)
  })

  it('keeps everybody who was ever proposed in this partition epoch', () => {
    const set = setOf(1)
    set.unanswered(proposed(set, 1, 2))
    set.unanswered(proposed(set, 1, 3))
    expect(set.maximal).toEqual([1, 2, 3])
    expect(set.isUnsettled).toBe(true)
    expect(set.adopt({ partitionEpoch: 13, isr: [1, 3] })).toBe(true)
    expect(set.maximal).toEqual([1, 3])
    expect(set.isUnsettled).toBe(false)
  })

  it('has one proposal under way at a time (KAFKA testSingleInFlightAlterIsr)', () => {
    const set = setOf(1, 2)
    const proposal = proposed(set, 1, 2, 3)
    expect(set.isPending).toBe(true)
    expect(() => set.propose([1], false)).toThrow('second proposal')
    set.unanswered(proposal)
    expect(set.isPending).toBe(false)
  })

  it('is settled by its own proposal only', () => {
    const set = setOf(1, 2)
    const first = proposed(set, 1, 2, 3)
    set.unanswered(first)
    proposed(set, 1)
    set.unanswered(first)
    expect(set.isPending).toBe(true)
  })

  it('learns nothing from what is not newer', () => {
    const set = setOf(1, 2)
    proposed(set, 1, 2, 3)
    expect(set.adopt({ partitionEpoch: 12, isr: [1] })).toBe(false)
    expect(set.adopt({ partitionEpoch: 11, isr: [1] })).toBe(false)
    expect(set.maximal).toEqual([1, 2, 3])
    expect(set.isPending).toBe(true)
  })
})

describe('a refused proposal', () => {
  it('may come true by a copy of itself, until the partition epoch rises (the model’s seed 65267)', () => {
    const set = setOf(0, 2)
    // Broker 1 is fenced just then: INELIGIBLE_REPLICA. Soon it is unfenced, which changes no partition.
    set.unanswered(proposed(set, 0, 2, 1))
    // Kafka forgets broker 1 here, commits without it, and the copy of the request that comes late puts it in sync.
    expect(set.maximal).toEqual([0, 2, 1])
    // To be rid of it, the leader has the epoch raised; then the copy is void.
    expect(set.propose([0, 2], false)).toEqual({
      partitionEpoch: 12,
      members: [0, 2],
      hasFlushed: false,
      bump: true,
    })
    expect(set.maximal).toEqual([0, 2, 1])
    set.adopt({ partitionEpoch: 13, isr: [0, 2] })
    expect(set.maximal).toEqual([0, 2])
    expect(set.propose([0, 2], false)).toBeUndefined()
  })

  it('needs no bump where the next proposal raises the epoch anyway', () => {
    const set = setOf(0, 2)
    set.unanswered(proposed(set, 0, 2, 1))
    expect(set.propose([0], false)).toMatchObject({ members: [0], bump: false })
  })
})

it('asks for nothing when nothing would change', () => {
  const set = setOf(1, 2)
  expect(set.propose([2, 1], false)).toBeUndefined()
  expect(set.propose([2, 1], true)).toMatchObject({ hasFlushed: true, bump: false })
})
