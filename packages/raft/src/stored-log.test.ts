import { expect, it } from 'vitest'
import { entriesAfter } from './stored-log.ts'
import { entriesOf } from './testing/solo-replica.ts'

const snapshot = { index: 3n, term: 2n, voters: [] }

// what is stored beside a snapshot of 3/2: the terms, after which index, and what of it counts
it.each([
  ['the same log, and more', [1n, 2n, 2n, 2n, 3n], 0n, [2n, 3n]],
  ['the same log up to the snapshot', [1n, 2n, 2n], 0n, []],
  ['what follows it', [2n, 3n], 3n, [2n, 3n]],
  ['a tail below it', [2n, 2n, 3n], 1n, [3n]],
  ['another log, that is longer', [1n, 1n, 1n, 1n], 0n, []],
  ['a log that ends before it', [1n, 2n], 0n, []],
  ['nothing', [], 0n, []],
])('after a snapshot counts, of %s, what continues it', (_, terms, after, kept) => {
  const rest = entriesAfter(snapshot, entriesOf(terms, after))
  expect(rest.map(({ term }) => term)).toEqual(kept)
  if (rest.length > 0) expect(rest[0]?.index).toBe(4n)
})
