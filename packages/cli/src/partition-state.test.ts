import { expect, it } from 'vitest'
import { roleOf, statesOf } from './partition-state.ts'

const partition = {
  ...{ topic: 'orders', partition: 0, leader: 1, leaderEpoch: 0 },
  ...{ replicas: [1, 2, 3], isr: [1, 2, 3], elr: [], lastKnownElr: [], offline: [] },
  ...{ adding: [], removing: [], minIsr: 2 },
}

it.each([
  ['all is well', {}, []],
  ['nobody leads', { leader: -1 }, ['offline']],
  ['one is missing', { isr: [1, 2] }, ['under-replicated']],
  ['too few to write', { isr: [1] }, ['under-min-isr', 'under-replicated']],
  ['nobody says how many it takes', { isr: [1], minIsr: undefined }, ['under-replicated']],
  ['one is to come', { isr: [1, 2], adding: [3] }, ['moving']],
  ['one is to go', { removing: [3] }, ['moving']],
  [
    'one is to come, and another missing',
    { isr: [1], adding: [3], minIsr: 1 },
    ['under-replicated', 'moving'],
  ],
])('%s', (_, changes, states) => {
  expect(statesOf({ ...partition, ...changes })).toEqual(states)
})

it('tells how each replica stands', () => {
  const some = {
    ...partition,
    isr: [1, 2],
    elr: [3],
    lastKnownElr: [3, 4],
    replicas: [1, 2, 3, 4, 5],
  }
  expect(some.replicas.map((id) => roleOf(some, id))).toEqual([
    'leader',
    'in-sync',
    'eligible',
    'last-known-eligible',
    'out-of-sync',
  ])
  expect(roleOf({ ...some, elr: undefined, lastKnownElr: undefined }, 3)).toBe('out-of-sync')
})
