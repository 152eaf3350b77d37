import { kafkaErrors } from '@naru/model'
import { beforeEach, describe, expect, it } from 'vitest'
import { directoryOfBroker, idOf, TestCluster } from './testing/cluster.ts'

let cluster: TestCluster
beforeEach(() => {
  cluster = new TestCluster(1, 2, 3, 4, 5)
})

const code = (name: keyof typeof kafkaErrors) => kafkaErrors[name].code

function move(
  replicas: readonly number[] | null,
  { partition = 0, allowsOtherFactor = true } = {},
): number | undefined {
  const partitions = [{ topicId: idOf(1), partition, replicas }]
  const command = { type: 'reassignPartitions', allowsOtherFactor, partitions } as const
  return cluster.accepted(command).partitions[0]?.errorCode
}

describe('a reassignment (KIP-455)', () => {
  it('adds the newcomers after which the leaving go, and waits for their confirmation', () => {
    cluster.topic([1, 2])
    expect(move([3, 2])).toBe(0)
    expect(cluster.partition).toMatchObject({
      replicas: [3, 2, 1],
      directories: [3, 2, 1].map(directoryOfBroker),
      addingReplicas: [3],
      removingReplicas: [1],
      isr: [1, 2],
      leader: 1,
      leaderEpoch: 0,
    })
    cluster.propose([1, 2, 3])
    expect(cluster.partition).toMatchObject({
      replicas: [3, 2],
      isr: [2, 3],
      leader: 3,
      leaderEpoch: 1,
      removedReplicas: [1],
    })
    const deletions = [{ topicId: idOf(1), partition: 0 }]
    cluster.accepted({ type: 'confirmDeletion', nodeId: 1, deletions })
    expect(cluster.partition.removedReplicas).toEqual([])
  })

  it('that only reorders is done at once', () => {
    cluster.topic([1, 2])
    expect(move([2, 1])).toBe(0)
    expect(cluster.partition).toMatchObject({
      replicas: [2, 1],
      directories: [2, 1].map(directoryOfBroker),
      addingReplicas: [],
      leader: 1,
    })
  })

  it('that only removes is done at once, when enough are in sync', () => {
    cluster.topic([1, 2, 3])
    cluster.fence(3)
    expect(move([2, 3])).toBe(0)
    expect(cluster.partition).toMatchObject({ replicas: [2, 3, 1], removingReplicas: [1] })
    cluster.unfence(3)
    cluster.propose([1, 2, 3].filter((id) => cluster.partition.replicas.includes(id)))
    expect(cluster.partition).toMatchObject({ replicas: [2, 3], isr: [2, 3], removedReplicas: [1] })
  })

  it('is taken back, if one is under way', () => {
    cluster.topic([1, 2])
    expect(move(null)).toBe(code('NO_REASSIGNMENT_IN_PROGRESS'))
    move([3, 4])
    expect(move(null)).toBe(0)
    expect(cluster.partition).toMatchObject({
      replicas: [1, 2],
      addingReplicas: [],
      removingReplicas: [],
      removedReplicas: [3, 4],
      leader: 1,
    })
  })

  it('is replaced by another that begins where it began', () => {
    cluster.topic([1, 2])
    move([3, 4])
    expect(move([5, 1])).toBe(0)
    expect(cluster.partition).toMatchObject({
      replicas: [5, 1, 2],
      addingReplicas: [5],
      removingReplicas: [2],
      removedReplicas: [3, 4],
    })
  })

  it('is not taken back when only newcomers are left that are complete', () => {
    cluster.topic([1], { 'min.insync.replicas': '1' })
    move([3, 4])
    cluster.propose([1, 3])
    cluster.fence(1)
    expect(cluster.partition).toMatchObject({ isr: [3], leader: 3 })
    expect(move(null)).toBe(code('INVALID_REPLICA_ASSIGNMENT'))
    expect(cluster.partition).toMatchObject({ isr: [3], leader: 3 })
  })

  it('to another number of replicas is refused where the request forbids it (KIP-860)', () => {
    cluster.topic([1, 2])
    const strict = { allowsOtherFactor: false }
    expect(move([1, 2, 3], strict)).toBe(code('INVALID_REPLICATION_FACTOR'))
    expect(move([1], strict)).toBe(code('INVALID_REPLICATION_FACTOR'))
    expect(move([3, 4], strict)).toBe(0)
    // Those that come do not count.
    expect(move([3, 4, 1], strict)).toBe(code('INVALID_REPLICATION_FACTOR'))
    expect(move([5, 4], strict)).toBe(0)
    expect(move(null, strict)).toBe(0)
  })

  it.each([
    ['to nowhere', []],
    ['with a broker twice', [2, 2]],
    ['to a stranger', [1, 9]],
  ])('is refused %s', (_, replicas) => {
    cluster.topic([1, 2])
    expect(move(replicas)).toBe(code('INVALID_REPLICA_ASSIGNMENT'))
    expect(move([1], { partition: 7 })).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
  })
})

describe('new partitions', () => {
  it('are placed on brokers that take part only', () => {
    cluster.fence(1)
    cluster.accepted({ type: 'controlledShutdown', ...cluster.key(2) })
    const topic = {
      name: 'wide',
      partitions: 6,
      replicationFactor: 3,
      assignments: [],
      configs: [],
    }
    const create = { type: 'createTopic', topic, topicId: idOf(2), validateOnly: false } as const
    cluster.accepted(create)
    const placed = cluster.image.topics.get('wide')?.partitions.flatMap(({ replicas }) => replicas)
    expect([...new Set(placed)].sort()).toEqual([3, 4, 5])
    const wider = { ...topic, name: 'wider', replicationFactor: 4 }
    const other = { ...create, topic: wider, topicId: idOf(3) }
    expect(cluster.refused(other)).toBe('INVALID_REPLICATION_FACTOR')
    cluster.fence(3)
    const grow = { type: 'createPartitions', name: 'wide', count: 7, validateOnly: false } as const
    expect(cluster.refused({ ...grow, assignments: null })).toBe('INVALID_REPLICATION_FACTOR')
  })

  it('begin with those in sync that take part, as far as they are named', () => {
    cluster.fence(1)
    cluster.topic([1, 2])
    expect(cluster.partition).toMatchObject({ replicas: [1, 2], isr: [2], leader: 2, minIsr: 2 })
    const assignments = [{ partition: 0, replicas: [1] }]
    const counts = { partitions: -1, replicationFactor: -1 }
    const topic = { name: 'fenced', ...counts, assignments, configs: [] }
    const create = { type: 'createTopic', topic, topicId: idOf(2), validateOnly: false } as const
    expect(cluster.refused(create)).toBe('INVALID_REPLICA_ASSIGNMENT')
  })
})
