import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { majority, reachedByMajority, tally } from './quorum.ts'

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i']
const voterSets = fc.uniqueArray(fc.constantFrom(...names), { minLength: 1 })

/** Whether these are more than half of them. */
function areMost(some: readonly string[], voters: readonly string[]): boolean {
  return some.filter((each) => voters.includes(each)).length * 2 > voters.length
}

/** Every way to choose some of them. */
function subsetsOf([first, ...rest]: readonly string[]): string[][] {
  if (first === undefined) return [[]]
  return subsetsOf(rest).flatMap((subset) => [subset, [first, ...subset]])
}

describe('majorities', () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 2],
    [4, 3],
    [5, 3],
    [6, 4],
    [7, 4],
  ])('of %i voters %i are one', (count, least) => expect(majority(count)).toBe(least))

  it('are the smallest of which no two are apart', () => {
    fc.assert(
      fc.property(voterSets, (voters) => {
        expect(majority(voters.length) * 2).toBeGreaterThan(voters.length)
        expect((majority(voters.length) - 1) * 2).toBeLessThanOrEqual(voters.length)
      }),
    )
  })

  it('of a set of voters meet those of the set with one more, and with one less (Raft thesis §4.1)', () => {
    fc.assert(
      fc.property(voterSets, ([added = '', ...voters]) => {
        fc.pre(voters.length > 0)
        const more = [...voters, added]
        const ofMore = subsetsOf(more).filter((some) => some.length === majority(more.length))
        for (const one of subsetsOf(voters).filter(
          (some) => some.length === majority(voters.length),
        )) {
          for (const other of ofMore) expect(one.some((voter) => other.includes(voter))).toBe(true)
        }
      }),
      { numRuns: 20 },
    )
  })

  it('may be apart when two voters come at once: why they come one at a time', () => {
    const [before, after] = [
      ['a', 'b', 'c'],
      ['a', 'b', 'c', 'd', 'e'],
    ]
    expect(areMost(['a', 'b'], before)).toBe(true)
    expect(areMost(['c', 'd', 'e'], after)).toBe(true)
  })
})

describe('reachedByMajority', () => {
  it('is the largest value that more than half of the voters have reached', () => {
    fc.assert(
      fc.property(
        voterSets,
        fc.array(fc.nat(12), { minLength: 9, maxLength: 9 }),
        (voters, values) => {
          const reached = (voter: string) => values[names.indexOf(voter)] as number
          const isReached = (value: number) =>
            areMost(
              voters.filter((voter) => reached(voter) >= value),
              voters,
            )
          const expected = [...values, 0].filter(isReached).sort((a, b) => b - a)[0]
          expect(reachedByMajority(voters, reached)).toBe(expected)
          expect(reachedByMajority(voters, (voter) => BigInt(reached(voter)))).toBe(
            BigInt(expected ?? 0),
          )
        },
      ),
    )
  })

  it('is nothing without voters', () => {
    expect(reachedByMajority([], () => 7)).toBeUndefined()
  })
})

describe('tally', () => {
  const ballots = fc.array(fc.record({ from: fc.constantFrom(...names), granted: fc.boolean() }))

  it('is won when most have granted, lost when most never can, and open else', () => {
    fc.assert(
      fc.property(voterSets, ballots, (voters, list) => {
        const votes = new Map(list.map(({ from, granted }) => [from, granted]))
        const granted = voters.filter((voter) => votes.get(voter) === true)
        const possible = voters.filter((voter) => votes.get(voter) !== false)
        const expected = areMost(granted, voters)
          ? 'won'
          : areMost(possible, voters)
            ? 'open'
            : 'lost'
        expect(tally(voters, votes)).toBe(expected)
      }),
    )
  })

  it('never is won twice: two candidates that share a voter cannot both win', () => {
    fc.assert(
      fc.property(voterSets, ballots, (voters, list) => {
        const votes = new Map(list.map(({ from, granted }) => [from, granted]))
        const others = new Map([...votes].map(([from, granted]) => [from, !granted]))
        expect(
          [tally(voters, votes), tally(voters, others)].filter((each) => each === 'won').length,
        ).toBeLessThan(2)
      }),
    )
  })
})
