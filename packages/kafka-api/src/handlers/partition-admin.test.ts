// What the handlers of elections and reassignments make of a request, and of what the port answers.
import type { Clock } from '@naru/base'
import { emptyImage, type Refusal, refusal, type TopicImage } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import type { Handler, RequestContext } from '@naru/network'
import type { NamedPartition, PartitionOutcome, Reassignment } from '@naru/services'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Ports } from '../ports.ts'
import { alterPartitionReassignments } from './alter-partition-reassignments.ts'
import { electLeaders } from './elect-leaders.ts'
import { listPartitionReassignments } from './list-partition-reassignments.ts'

const image = emptyImage()
for (const name of ['orders', 'sales']) image.topics.set(name, { name } as TopicImage)
const metadata = { image } as Ports['metadata']
const clock = { monotonic: () => 0 } as Clock

let asked: unknown[]
let answer: PartitionOutcome[] | Refusal
let underWay: Reassignment[]
beforeEach(() => {
  asked = []
  answer = []
  underWay = []
})

const partitionAdmin: Ports['partitionAdmin'] = {
  elect: async (kind, named, left) => {
    asked.push([kind, named, left()])
    return answer
  },
  reassign: async (moves, { allowsOtherFactor, left }) => {
    asked.push([moves, allowsOtherFactor, left()])
    return answer
  },
  reassignments: (named) => {
    asked.push(named)
    return underWay
  },
}
const ports = { metadata, partitionAdmin, clock }

async function ask<Q, R>(handler: Handler<Q, R>, request: Q): Promise<unknown> {
  const { maxVersion: apiVersion } = handler.api
  return handler.handle(request, { apiVersion, listener: 'PLAINTEXT' } as RequestContext)
}

const named = (topic: string, partition: number): NamedPartition => ({ topic, partition })
const no = refusal(kafkaErrors.ELECTION_NOT_NEEDED, 'leads already')
const timedOut = refusal(kafkaErrors.REQUEST_TIMED_OUT, 'nobody leads')

describe('ElectLeaders', () => {
  const elect = (
    topicPartitions: { topic: string; partitions: number[] }[] | null,
    electionType = 0,
  ) => ask(electLeaders(ports), { electionType, topicPartitions, timeoutMs: 5_000 })

  it('answers in the order of the request', async () => {
    answer = [
      { ...named('sales', 2), refusal: undefined },
      { ...named('sales', 1), refusal: no },
      { ...named('orders', 0), refusal: undefined },
    ]
    const both = [
      { topic: 'sales', partitions: [2, 1] },
      { topic: 'orders', partitions: [0] },
    ]
    expect(await elect(both, 1)).toEqual({
      throttleTimeMs: 0,
      errorCode: 0,
      replicaElectionResults: [
        {
          topic: 'sales',
          partitionResult: [
            { partitionId: 2, errorCode: 0, errorMessage: null },
            { partitionId: 1, errorCode: 84, errorMessage: 'leads already' },
          ],
        },
        {
          topic: 'orders',
          partitionResult: [{ partitionId: 0, errorCode: 0, errorMessage: null }],
        },
      ],
    })
    const all = [named('sales', 2), named('sales', 1), named('orders', 0)]
    expect(asked).toEqual([['unclean', all, 5_000]])
  })

  it('of all: every topic, with the partitions that had something to elect', async () => {
    answer = [{ ...named('sales', 1), refusal: undefined }]
    expect(await elect(null)).toMatchObject({
      errorCode: 0,
      replicaElectionResults: [
        { topic: 'orders', partitionResult: [] },
        { topic: 'sales', partitionResult: [{ partitionId: 1, errorCode: 0 }] },
      ],
    })
    expect(asked).toEqual([['preferred', null, 5_000]])
  })

  it.each([-1, 2])('there is no kind %i, and nothing is asked', async (kind) => {
    expect(await elect([{ topic: 'orders', partitions: [0] }], kind)).toMatchObject({
      errorCode: 42,
      replicaElectionResults: [{ topic: 'orders', partitionResult: [{ errorCode: 42 }] }],
    })
    expect(asked).toEqual([])
  })

  it('a refusal of the whole is at the top and at each partition', async () => {
    answer = timedOut
    expect(await elect([{ topic: 'orders', partitions: [0, 1] }])).toMatchObject({
      errorCode: 7,
      replicaElectionResults: [{ partitionResult: [{ errorCode: 7 }, { errorCode: 7 }] }],
    })
    expect(await elect(null)).toMatchObject({ errorCode: 7, replicaElectionResults: [] })
  })
})

describe('AlterPartitionReassignments', () => {
  const alter = (allowReplicationFactorChange: boolean) =>
    ask(alterPartitionReassignments(ports), {
      timeoutMs: 5_000,
      allowReplicationFactorChange,
      topics: [
        { name: 'sales', partitions: [{ partitionIndex: 1, replicas: [1, 2] }] },
        { name: 'orders', partitions: [{ partitionIndex: 0, replicas: null }] },
      ],
    })

  it('answers in the order of the request', async () => {
    answer = [
      { ...named('sales', 1), refusal: undefined },
      { ...named('orders', 0), refusal: no },
    ]
    expect(await alter(false)).toEqual({
      throttleTimeMs: 0,
      allowReplicationFactorChange: false,
      errorCode: 0,
      errorMessage: null,
      responses: [
        {
          name: 'sales',
          partitions: [{ partitionIndex: 1, errorCode: 0, errorMessage: null }],
        },
        {
          name: 'orders',
          partitions: [{ partitionIndex: 0, errorCode: 84, errorMessage: 'leads already' }],
        },
      ],
    })
    const moves = [
      { ...named('sales', 1), replicas: [1, 2] },
      { ...named('orders', 0), replicas: null },
    ]
    expect(asked).toEqual([[moves, false, 5_000]])
  })

  it('a refusal of the whole is at the top and at each partition', async () => {
    answer = timedOut
    const both = [{ partitions: [{ errorCode: 7 }] }, { partitions: [{ errorCode: 7 }] }]
    expect(await alter(true)).toMatchObject({ errorCode: 7, responses: both })
  })
})

describe('ListPartitionReassignments', () => {
  const list = (topics: { name: string; partitionIndexes: number[] }[] | null) =>
    ask(listPartitionReassignments({ partitionAdmin }), { timeoutMs: 5_000, topics })

  it('lists by topic what is under way, of all or of what is named', async () => {
    const moving = { replicas: [3, 2, 1], adding: [3], removing: [1] }
    underWay = [{ ...named('sales', 1), ...moving }]
    const partition = {
      ...{ partitionIndex: 1, replicas: [3, 2, 1] },
      ...{ addingReplicas: [3], removingReplicas: [1] },
    }
    const topics = [{ name: 'sales', partitions: [partition] }]
    const answered = { throttleTimeMs: 0, errorCode: 0, errorMessage: null, topics }
    expect(await list(null)).toEqual(answered)
    expect(await list([{ name: 'sales', partitionIndexes: [0, 1] }])).toEqual(answered)
    expect(asked).toEqual([null, [named('sales', 0), named('sales', 1)]])
  })

  it('leaves out topics of which nothing is under way', async () => {
    expect(await list([{ name: 'sales', partitionIndexes: [0] }])).toMatchObject({ topics: [] })
  })
})
