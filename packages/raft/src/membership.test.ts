// The voters along the log, against a list of all that were ever appended and are still there.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Membership } from './membership.ts'

const replicas = ['a', 'b', 'c', 'd']

interface Placed {
  readonly index: bigint
  readonly voters: readonly string[]
}

/** Keeps everything, and looks it up the long way. */
class PlainMembership {
  sets: Placed[]
  baseIndex = 0n

  constructor(base: Placed) {
    this.sets = [base]
  }

  get last(): Placed {
    return this.sets.at(-1) as Placed
  }

  at(index: bigint): readonly string[] {
    return (this.sets.filter((set) => set.index <= index).at(-1) as Placed).voters
  }

  mayVote(replica: string, index: bigint): boolean {
    if (this.at(index).includes(replica)) return true
    return this.sets.some((set) => set.index > index && set.voters.includes(replica))
  }
}

const operations = fc.array(
  fc.oneof(
    fc.record({
      type: fc.constant('append' as const),
      gap: fc.integer({ min: 1, max: 4 }),
      voters: fc.uniqueArray(fc.constantFrom(...replicas), { minLength: 1 }),
    }),
    fc.record({ type: fc.constant('truncate' as const), back: fc.nat(8) }),
    fc.record({ type: fc.constant('forget' as const), ahead: fc.nat(6) }),
    fc.record({
      type: fc.constant('reset' as const),
      gap: fc.nat(5),
      voters: fc.uniqueArray(fc.constantFrom(...replicas), { minLength: 1 }),
    }),
  ),
  { maxLength: 40 },
)

type Operation = typeof operations extends fc.Arbitrary<(infer T)[]> ? T : never

function run(membership: Membership, model: PlainMembership, operation: Operation): void {
  switch (operation.type) {
    case 'append': {
      const index = model.last.index + BigInt(operation.gap)
      membership.append(index, operation.voters)
      model.sets.push({ index, voters: [...operation.voters].sort() })
      break
    }
    case 'truncate': {
      // Only what is not committed is cut off, and what is compacted is committed.
      const from = model.last.index - BigInt(operation.back) + 1n
      if (from <= model.baseIndex) return
      membership.truncate(from)
      model.sets = model.sets.filter(({ index }, position) => position === 0 || index < from)
      break
    }
    case 'forget': {
      const index = model.baseIndex + BigInt(operation.ahead)
      if (index > model.last.index) return
      membership.forgetBefore(index)
      model.baseIndex = index
      break
    }
    case 'reset': {
      const base = { index: model.last.index + BigInt(operation.gap), voters: operation.voters }
      membership.reset(base)
      model.sets = [base]
      model.baseIndex = base.index
    }
  }
}

describe('Membership', () => {
  it('knows the voters at each place that is kept, as a list of all does', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const base = { index: 0n, voters: ['a'] }
        const membership = new Membership(base)
        const model = new PlainMembership(base)
        for (const operation of list) {
          run(membership, model, operation)
          expect(membership.voters).toEqual(model.last.voters)
          expect(membership.index).toBe(model.last.index)
          for (const replica of replicas) {
            expect(membership.isVoter(replica)).toBe(model.last.voters.includes(replica))
          }
          for (let index = model.baseIndex; index <= model.last.index + 1n; index++) {
            expect(membership.at(index)).toEqual(model.at(index))
            for (const replica of replicas) {
              expect(membership.mayVote(replica, index)).toBe(model.mayVote(replica, index))
            }
          }
        }
      }),
    )
  })

  it('has the same order for all who know the same voters', () => {
    const membership = new Membership({ index: 0n, voters: [] })
    membership.append(1n, ['c', 'a', 'b'])
    expect(membership.voters).toEqual(['a', 'b', 'c'])
  })

  it('takes sets in the order of the log only, and knows nothing of what it forgot', () => {
    const membership = new Membership({ index: 2n, voters: ['a'] })
    expect(() => membership.append(2n, ['b'])).toThrow('in the order of the log')
    expect(() => membership.at(1n)).toThrow('known no more')
  })
})
