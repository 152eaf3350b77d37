import { describe, expect, it } from 'vitest'
import { checkLinearizable, type Operation } from './linearizability.ts'
import {
  type ProducerIdBlock,
  producerIdModel,
  type TopicInput,
  type TopicOutput,
  topicModel,
} from './metadata-models.ts'

const name = 't'
type Said = [TopicInput, TopicOutput]

const create = (id: string, partitions = 1): Said => [
  { type: 'create', name, partitions },
  { type: 'created', id, partitions },
]
const remove: Said = [{ type: 'delete', name }, { type: 'done' }]
const see = (id: string, partitions = 1): Said => [
  { type: 'describe', name },
  { type: 'topic', id, partitions },
]
const absent: Said = [{ type: 'describe', name }, { type: 'unknownTopic' }]
const exists: Said = [{ type: 'create', name, partitions: 1 }, { type: 'alreadyExists' }]
const grow = (count: number, type: 'done' | 'notMore' = 'done'): Said => [
  { type: 'addPartitions', name, count },
  { type },
]
const setTo = (value: string): Said => [
  { type: 'setConfig', name, key: 'k', value },
  { type: 'done' },
]
const append = (value: string): Said => [
  { type: 'appendConfig', name, key: 'k', value },
  { type: 'done' },
]
const config = (value: string | undefined): Said => [
  { type: 'readConfig', name, key: 'k' },
  { type: 'config', value },
]
/** Nobody knows whether it was done. */
const maybe = ([input]: Said): TopicInput => input

/** One after the other; what is not answered may still happen at any time. */
function verdictOf(...said: (Said | TopicInput)[]): string {
  const operations = said.map(
    (each, at): Operation<TopicInput, TopicOutput> =>
      Array.isArray(each)
        ? {
            invokedAt: 2 * at,
            input: each[0],
            outcome: { kind: 'ok', returnedAt: 2 * at + 1, output: each[1] },
          }
        : { invokedAt: 2 * at, input: each, outcome: { kind: 'unknown' } },
  )
  return checkLinearizable(topicModel, operations).kind
}

describe('a topic', () => {
  it.each<[string, (Said | TopicInput)[]]>([
    [
      'comes and goes',
      [absent, create('a'), exists, see('a'), remove, absent, create('b'), see('b')],
    ],
    ['grows', [create('a', 2), grow(1, 'notMore'), grow(2, 'notMore'), grow(5), see('a', 5)]],
    [
      'has configs',
      [create('a'), config(undefined), setTo('x'), append('y'), append('x'), config('x,y')],
    ],
    ['loses its configs', [create('a'), setTo('x'), remove, create('b'), config(undefined)]],
    ['appears, or not, when nobody was told', [maybe(create('a')), absent, see('a'), see('a')]],
    ['goes, or not, when nobody was told', [create('a'), maybe(remove), see('a'), absent, absent]],
    ['grows late', [create('a'), maybe(grow(3)), see('a'), see('a', 3)]],
    ['exists by a creation without an answer', [maybe(create('a')), exists, see('z')]],
  ])('%s', (_, said) => {
    expect(verdictOf(...said)).toBe('linearizable')
  })

  it.each<[string, (Said | TopicInput)[]]>([
    ['is seen after its end', [create('a'), remove, see('a')]],
    ['is not seen after its creation', [create('a'), absent]],
    ['is made twice', [create('a'), create('b')]],
    ['is made again with an old id', [create('a'), remove, create('a')]],
    ['is seen with the id of another', [create('a'), see('b')]],
    ['changes its id', [maybe(create('a')), see('a'), see('b')]],
    [
      'comes back by a creation without an answer',
      [create('a'), maybe(create('b')), remove, see('a')],
    ],
    ['is there without a creation', [exists]],
    ['goes twice', [create('a'), remove, remove]],
    ['shrinks', [create('a', 3), grow(2)]],
    ['may not grow', [create('a'), grow(2, 'notMore')]],
    ['grew, then not', [create('a'), maybe(grow(3)), see('a', 3), see('a')]],
    ['loses a config', [create('a'), setTo('x'), append('y'), config('x')]],
    ['doubles an item', [create('a'), append('y'), append('y'), config('y,y')]],
    ['keeps the config of another', [create('a'), setTo('x'), remove, create('b'), config('x')]],
    ['is made with other partitions', [create('a', 2), see('a', 1)]],
  ])('is wrong when it %s', (_, said) => {
    expect(verdictOf(...said)).toBe('violation')
  })
})

describe('producer ids', () => {
  const allocate = (first: number, invokedAt: number, returnedAt: number) =>
    ({
      invokedAt,
      input: 'allocate',
      outcome: { kind: 'ok', returnedAt, output: { first, length: 10 } },
    }) satisfies Operation<'allocate', ProducerIdBlock>
  const lost = { invokedAt: 0, input: 'allocate', outcome: { kind: 'unknown' } } as const

  it.each<[string, Operation<'allocate', ProducerIdBlock>[], string]>([
    [
      'in any order while they are asked for together',
      [allocate(10, 0, 9), allocate(0, 1, 8)],
      'linearizable',
    ],
    [
      'with gaps where answers were lost',
      [allocate(0, 0, 1), lost, allocate(20, 2, 3)],
      'linearizable',
    ],
    ['never one twice', [allocate(0, 0, 9), allocate(5, 1, 8)], 'violation'],
    ['never downwards', [allocate(10, 0, 1), allocate(0, 2, 3)], 'violation'],
  ])('%s', (_, operations, expected) => {
    expect(checkLinearizable(producerIdModel, operations).kind).toBe(expected)
  })
})
