// Whom a round of fetching asks, by what the brokers answered before.
import { kafkaErrors } from '@naru/model'
import type { apis, RequestOf } from '@naru/protocol'
import { SimulatedClock } from '@naru/simulator'
import { beforeEach, expect, it } from 'vitest'
import type { Cluster } from './cluster.ts'
import { NaruError } from './errors.ts'
import { type Cursor, fetchAll } from './fetches.ts'
import { ReadReplicas } from './read-replicas.ts'
import type { TopicView } from './topic-view.ts'

const leader = 1
const follower = 2
const rack = 'here'
const records = Buffer.from('records')
const { OFFSET_OUT_OF_RANGE, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH } = kafkaErrors
const { UNKNOWN_LEADER_EPOCH } = kafkaErrors

type Request = RequestOf<typeof apis.fetch>
interface Answer {
  readonly errorCode?: number
  readonly sentTo?: number
  readonly fails?: NaruError
}

/** Two partitions that broker 1 leads, and what each broker answers for partition 0; for the other there are always records. */
class FakeCluster {
  readonly clock = new SimulatedClock()
  readonly answers = new Map<number, Answer>()
  /** Broker, rack and partitions of each request. */
  readonly asked: [nodeId: number, rack: string, partitions: number[]][] = []
  readonly epochs: number[] = []
  leaderEpoch = 5
  lookups = 0

  async retry<T>(attempt: (tries: number) => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        return await attempt(tries)
      } catch (error) {
        if (!NaruError.is(error) || !error.isRetriable || tries === 3) throw error
      }
    }
  }

  async topic(name: string, { isStale }: { isStale: boolean }): Promise<TopicView> {
    if (isStale) this.lookups++
    const { leaderEpoch } = this
    const partitions = [0, 1].map((partition) => {
      return { partition, leader, leaderEpoch, replicas: [1, 2], isr: [1, 2] }
    })
    return { name, topicId: 'AAAAAAAAAAAAAAAAAAAAEA', partitions }
  }

  async leaders({ partitions }: { partitions: readonly number[] }) {
    if (partitions.length === 0) return []
    return [{ connection: this.#connection(leader), partitions }]
  }

  async broker(nodeId: number) {
    if (nodeId > follower) throw new NaruError('NARU_UNREACHABLE', 'not known')
    return this.#connection(nodeId)
  }

  #connection(nodeId: number) {
    return {
      address: { host: 'h', port: nodeId },
      request: async (_: unknown, { rackId, topics: [topic] }: Request) => {
        const wanted = topic?.partitions ?? []
        this.asked.push([nodeId, rackId, wanted.map(({ partition }) => partition)])
        this.epochs.push(...wanted.map(({ currentLeaderEpoch }) => currentLeaderEpoch))
        const { errorCode = 0, sentTo = -1, fails } = this.answers.get(nodeId) ?? {}
        if (fails !== undefined) throw fails
        const partitions = wanted.map(({ partition: partitionIndex }) => {
          const isOther = partitionIndex !== 0
          if (isOther) return { partitionIndex, errorCode: 0, preferredReadReplica: -1, records }
          const given = errorCode === 0 && sentTo < 0 ? records : null
          return { partitionIndex, errorCode, preferredReadReplica: sentTo, records: given }
        })
        return { errorCode: 0, responses: [{ partitions }] }
      },
    }
  }
}

let cluster: FakeCluster
let replicas: ReadReplicas

beforeEach(() => {
  cluster = new FakeCluster()
  replicas = new ReadReplicas(cluster.clock)
})

/** The partitions that came with records. */
async function round(...partitions: readonly number[]): Promise<number[]> {
  const cursors = partitions.map((partition): Cursor => ({ partition, offset: 7n, end: undefined }))
  const options = { topic: 't', replicas, rack, isReadCommitted: false }
  const fetched = await fetchAll(cluster as unknown as Cluster, cursors, options)
  return fetched.filter(([, { length }]) => length > 0).map(([{ partition }]) => partition)
}

it('goes where the leader sends it, with one partition and not with the other', async () => {
  cluster.answers.set(leader, { sentTo: follower })
  expect(await round(0, 1)).toEqual([1])
  expect((await round(0, 1)).toSorted()).toEqual([0, 1])
  expect(cluster.asked.toSorted()).toEqual([
    [leader, rack, [0, 1]],
    [leader, rack, [1]],
    [follower, rack, [0]],
  ])
  expect(cluster.epochs).toEqual([5, 5, 5, 5])
  expect(cluster.lookups).toBe(0)
})

it.each([
  ['says OFFSET_OUT_OF_RANGE', { errorCode: OFFSET_OUT_OF_RANGE.code }],
  ['says NOT_LEADER_OR_FOLLOWER', { errorCode: NOT_LEADER_OR_FOLLOWER.code }],
  ['says FENCED_LEADER_EPOCH', { errorCode: FENCED_LEADER_EPOCH.code }],
  ['says UNKNOWN_LEADER_EPOCH', { errorCode: UNKNOWN_LEADER_EPOCH.code }],
  ['breaks off', { fails: new NaruError('NARU_UNREACHABLE', 'gone') }],
  ['is silent', { fails: new NaruError('NARU_TIMEOUT', 'silent') }],
])(
  'comes back to the leader when the follower %s, and does not say where it is',
  async (_, how) => {
    cluster.answers.set(leader, { sentTo: follower }).set(follower, how)
    await round(0)
    expect(await round(0)).toEqual([])
    cluster.answers.delete(leader)
    cluster.asked.length = 0
    expect((await round(0, 1)).toSorted()).toEqual([0, 1])
    expect(cluster.asked.toSorted()).toEqual([
      [leader, '', [0]],
      [leader, rack, [1]],
    ])
    // The follower may have another address by now.
    expect(cluster.lookups).toBe(1)
    await cluster.clock.drive(cluster.clock.pause(6_000))
    cluster.asked.length = 0
    await round(0)
    expect(cluster.asked).toEqual([[leader, rack, [0]]])
    expect(cluster.lookups).toBe(1)
  },
)

it('comes back to the leader that sent it to a broker that nobody knows', async () => {
  cluster.answers.set(leader, { sentTo: 9 })
  await round(0)
  expect(await round(0)).toEqual([])
  cluster.answers.delete(leader)
  expect(await round(0)).toEqual([0])
})

it.each([FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER])(
  'looks at the metadata when the leader says $name',
  async ({ code, name }) => {
    cluster.answers.set(leader, { errorCode: code })
    const failed = await round(0).catch((error: unknown) => error)
    expect(failed).toMatchObject({ kafka: { name } })
    expect([cluster.asked.length, cluster.lookups]).toEqual([4, 3])
  },
)

it('fails with what the leader says of an offset', async () => {
  cluster.answers.set(leader, { errorCode: OFFSET_OUT_OF_RANGE.code })
  await expect(round(0)).rejects.toMatchObject({ kafka: { name: 'OFFSET_OUT_OF_RANGE' } })
  expect(cluster.asked).toHaveLength(1)
})
