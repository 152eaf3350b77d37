import { beforeEach, describe, expect, it } from 'vitest'
import { replayTelling } from './events.ts'
import { cloneImage } from './image.ts'
import type { MetadataRecord } from './records.ts'
import { idOf, TestCluster } from './testing/cluster.ts'

let cluster: TestCluster
beforeEach(() => {
  cluster = new TestCluster(1, 2, 3)
})

/** The events of what `act` does last. */
function eventsOf(act: () => void) {
  const before = cloneImage(cluster.image)
  act()
  return replayTelling(before, cluster.records)
}

const orders = { topic: 'orders', topicId: idOf(1), partition: 0 }

it('a fence tells who lost what to whom, when and why', () => {
  cluster.topic([1, 2])
  cluster.nowMs = 7_000
  const at = { timestampMs: 7_000, cause: 'session timeout' }
  expect(eventsOf(() => cluster.fence(1))).toEqual([
    { type: 'brokerFenced', nodeId: 1, ...at },
    { type: 'leaderElected', ...orders, leader: 2, previous: 1, leaderEpoch: 1, ...at },
    { type: 'isrShrunk', ...orders, isr: [2], nodes: [1], ...at },
  ])
  expect(eventsOf(() => cluster.start(1))).toMatchObject([
    { type: 'brokerRegistered', nodeId: 1, cause: 'registerBroker' },
  ])
  expect(eventsOf(() => cluster.unfence(1))).toMatchObject([{ type: 'brokerUnfenced', nodeId: 1 }])
  expect(eventsOf(() => void cluster.propose([1, 2]))).toMatchObject([
    { type: 'isrGrown', isr: [1, 2], nodes: [1] },
  ])
})

it('a registration in place of a live process fences that one first', () => {
  expect(eventsOf(() => cluster.start(1)).map(({ type }) => type)).toEqual([
    'brokerFenced',
    'brokerRegistered',
  ])
})

it('topics come and go by name', () => {
  expect(eventsOf(() => cluster.topic([1]))).toMatchObject([
    { type: 'topicCreated', topic: 'orders', topicId: idOf(1) },
  ])
  const deletion = { type: 'deleteTopic', name: 'orders', topicId: idOf(0) } as const
  expect(eventsOf(() => cluster.accepted(deletion))).toMatchObject([
    { type: 'topicDeleted', topic: 'orders', topicId: idOf(1) },
  ])
})

it('an unclean election is named as such', () => {
  cluster.topic([1, 2], { 'min.insync.replicas': '1' })
  cluster.propose([1])
  cluster.fence(1)
  const candidate = { ...cluster.key(2), lastEpoch: 0, logEndOffset: 5n }
  const elected = eventsOf(() =>
    cluster.accepted({
      type: 'electLeaders',
      kind: 'unclean',
      isCommanded: true,
      partitions: [{ topicId: idOf(1), partition: 0, candidates: [candidate] }],
    }),
  )
  expect(elected).toMatchObject([
    { type: 'uncleanElection', ...orders, leader: 2, isCommanded: true },
    { type: 'leaderElected', ...orders, leader: 2, previous: -1 },
    { type: 'isrGrown', isr: [2], nodes: [2] },
  ])
})

it('shutdowns, moves, levels and removals are told', () => {
  cluster.topic([1, 2])
  const stopping = eventsOf(() =>
    cluster.accepted({ type: 'controlledShutdown', ...cluster.key(2) }),
  )
  expect(stopping).toMatchObject([{ type: 'brokerShuttingDown', nodeId: 2 }, { type: 'isrShrunk' }])
  const move = { topicId: idOf(1), partition: 0, replicas: [1, 3] }
  const moved = eventsOf(() =>
    cluster.accepted({ type: 'reassignPartitions', allowsOtherFactor: true, partitions: [move] }),
  )
  expect(moved).toMatchObject([{ type: 'reassignmentStarted', replicas: [1, 3, 2] }])
  expect(eventsOf(() => void cluster.propose([1, 3]))).toMatchObject([
    { type: 'leaderElected', leader: 1, previous: 1 },
    { type: 'isrGrown', nodes: [3] },
    { type: 'reassignmentEnded', replicas: [1, 3] },
  ])
  const raised = eventsOf(() =>
    cluster.accepted({
      type: 'updateFeatures',
      updates: [{ name: 'metadata.version', level: 30, upgradeType: 1 }],
      validateOnly: false,
    }),
  )
  expect(raised).toMatchObject([
    { type: 'featureChanged', name: 'metadata.version', level: 30, previous: 29 },
  ])
  const removed = eventsOf(() => cluster.accepted({ type: 'unregisterBroker', nodeId: 2 }))
  expect(removed).toMatchObject([{ type: 'brokerUnregistered', nodeId: 2 }])
})

describe('the short records of partitions', () => {
  const [older, newer] = [1, 2]

  /** What three partitions have gone through after each step, told from the records of a level. */
  function told(level: number) {
    cluster = new TestCluster(1, 2, 3)
    cluster.image.features.set('naru.version', level)
    createTopics()
    const types = new Set<string>()
    const events = steps.flatMap((step) => {
      const happened = eventsOf(step)
      for (const { type } of cluster.records) types.add(type)
      return happened
    })
    return { types, events, image: cluster.image }
  }

  function createTopics(): void {
    for (const [at, name] of ['orders', 'payments'].entries()) {
      const assignments = [
        [1, 2, 3],
        [2, 1, 3],
        [3, 2, 1],
      ].map((replicas, partition) => ({ partition, replicas }))
      const counts = { partitions: -1, replicationFactor: -1 }
      const topic = { name, ...counts, assignments, configs: [] }
      cluster.accepted({ type: 'createTopic', topic, topicId: idOf(at + 1), validateOnly: false })
    }
  }

  const move = { topicId: idOf(1), partition: 0, replicas: [1, 2] }
  const steps: (() => void)[] = [
    () => cluster.fence(1),
    () => cluster.fence(2),
    () => cluster.start(1),
    () => cluster.unfence(1),
    () => void cluster.propose([1, 3]),
    () =>
      cluster.accepted({ type: 'reassignPartitions', allowsOtherFactor: true, partitions: [move] }),
    () => cluster.fence(3),
    () => cluster.accepted({ type: 'controlledShutdown', ...cluster.key(1) }),
  ]

  it('tell the same as the long ones', () => {
    const [long, short] = [told(older), told(newer)]
    expect([long.types.has('partitionStates'), short.types.has('partitionStates')]).toEqual([
      false,
      true,
    ])
    expect(short.events).toEqual(long.events)
    expect(new Set(short.events.map(({ type }) => type))).toEqual(
      new Set([
        ...['brokerFenced', 'brokerRegistered', 'brokerUnfenced', 'brokerShuttingDown'],
        ...['leaderElected', 'isrShrunk', 'isrGrown', 'reassignmentStarted'],
      ]),
    )
  })

  it('are told from what the batch has made of a partition before', () => {
    cluster.topic([1, 2, 3])
    const { image, partition } = cluster
    const state = { ...partition, leader: 2, leaderEpoch: 1, isr: [2, 3] }
    const next = { ...state, isr: [2] }
    const records: MetadataRecord[] = [
      { type: 'partitionStates', topicId: idOf(1), partitions: [state] },
      { type: 'partition', ...state, addingReplicas: [4], replicas: [1, 2, 3, 4] },
      { type: 'partitionStates', topicId: idOf(1), partitions: [next] },
    ]
    const at = { timestampMs: -1, cause: '' }
    expect(replayTelling(image, records)).toEqual([
      { type: 'leaderElected', ...orders, leader: 2, previous: 1, leaderEpoch: 1, ...at },
      { type: 'isrShrunk', ...orders, isr: [2, 3], nodes: [1], ...at },
      { type: 'reassignmentStarted', ...orders, replicas: [1, 2, 3, 4], ...at },
      { type: 'isrShrunk', ...orders, isr: [2], nodes: [3], ...at },
    ])
  })
})
