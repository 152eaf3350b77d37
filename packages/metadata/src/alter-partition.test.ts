import { kafkaErrors } from '@naru/model'
import { beforeEach, describe, expect, it } from 'vitest'
import { directoryOfBroker, idOf, TestCluster } from './testing/cluster.ts'

let cluster: TestCluster
beforeEach(() => {
  cluster = new TestCluster(1, 2, 3, 4)
  cluster.topic([1, 2, 3])
})

const code = (name: keyof typeof kafkaErrors) => String(kafkaErrors[name].code)

describe('a proposal for the ISR', () => {
  it('of the leader is taken, with the state that comes of it', () => {
    const { topicId, partition, leaderEpoch, partitionEpoch } = cluster.partition
    const isr = [1, 2].map((nodeId) => ({ nodeId, brokerEpoch: -1n }))
    const flags = { isRecovering: false, hasFlushed: false, bump: false }
    const proposed = { topicId, partition, leaderEpoch, partitionEpoch, isr, ...flags }
    const { partitions } = cluster.accepted({
      type: 'alterPartition',
      ...cluster.key(1),
      partitions: [
        proposed,
        { ...proposed, topicId: idOf(9) },
        { ...proposed, partition: 7 },
        proposed,
      ],
    })
    expect(partitions[0]).toEqual({
      topicId,
      partition,
      errorCode: 0,
      isr: [1, 2],
      leader: 1,
      leaderEpoch: 0,
      partitionEpoch: 1,
      minIsr: 2,
      isFlushed: true,
      isRecovering: false,
    })
    expect(partitions.slice(1).map(({ errorCode }) => String(errorCode))).toEqual([
      code('UNKNOWN_TOPIC_ID'),
      code('UNKNOWN_TOPIC_OR_PARTITION'),
      code('INVALID_REQUEST'),
    ])
    expect(cluster.partition).toMatchObject({ isr: [1, 2], partitionEpoch: 1 })
  })

  it('is refused to an older process of the leader', () => {
    const old = cluster.key(1)
    cluster.start(1)
    const command = { type: 'alterPartition', ...old, partitions: [] } as const
    expect(cluster.refused(command)).toBe('STALE_BROKER_EPOCH')
  })

  it.each<[keyof typeof kafkaErrors, string, readonly number[], Record<string, unknown>]>([
    ['NOT_CONTROLLER', 'with a later leader epoch than known', [1, 2], { leaderEpoch: 5 }],
    ['NOT_CONTROLLER', 'with a later partition epoch than known', [1, 2], { partitionEpoch: 5 }],
    ['FENCED_LEADER_EPOCH', 'of an earlier leader', [1, 2], { leaderEpoch: -1 }],
    ['INVALID_UPDATE_VERSION', 'that is outdated', [1, 2], { partitionEpoch: -1 }],
    ['INVALID_REQUEST', 'with a broker that has no replica', [1, 4], {}],
    ['INVALID_REQUEST', 'without the leader', [2, 3], {}],
    ['INVALID_REQUEST', 'with a broker twice', [1, 2, 2], {}],
    ['INVALID_REQUEST', 'that brings back the recovery', [1], { isRecovering: true }],
  ])('is refused with %s: one %s', (name, _, isr, changes) => {
    expect(cluster.propose(isr, changes)).toBe(code(name))
    expect(cluster.records).toEqual([])
  })

  it('is refused to who does not lead', () => {
    const { topicId, partition, leaderEpoch, partitionEpoch } = cluster.partition
    const isr = [{ nodeId: 2, brokerEpoch: -1n }]
    const flags = { isRecovering: false, hasFlushed: false, bump: false }
    const proposed = { topicId, partition, leaderEpoch, partitionEpoch, isr, ...flags }
    const command = { type: 'alterPartition', ...cluster.key(2), partitions: [proposed] } as const
    expect(cluster.accepted(command).partitions[0]?.errorCode).toBe(
      kafkaErrors.INVALID_REQUEST.code,
    )
  })

  it('is refused with a fenced member (KIP-841), or one about to stop', () => {
    cluster.fence(3)
    expect(cluster.propose([1, 2, 3])).toBe(code('INELIGIBLE_REPLICA'))
    cluster.unfence(3)
    expect(cluster.propose([1, 2, 3])).toBe('0')
    cluster.accepted({ type: 'controlledShutdown', ...cluster.key(3) })
    expect(cluster.propose([1, 2, 3])).toBe(code('INELIGIBLE_REPLICA'))
  })

  it('is refused with a member of another process than the leader has met (KIP-903)', () => {
    cluster.fence(3)
    const met = cluster.key(3)
    cluster.start(3)
    cluster.unfence(3)
    const isr = [cluster.key(1), cluster.key(2), met]
    expect(cluster.propose([], { isr })).toBe(code('INELIGIBLE_REPLICA'))
    const unnamed = [cluster.key(1), cluster.key(2), { nodeId: 3, brokerEpoch: -1n }]
    expect(cluster.propose([], { isr: unnamed })).toBe(code('INELIGIBLE_REPLICA'))
    expect(cluster.propose([1, 2, 3])).toBe('0')
  })

  it('is refused with a member whose log directory failed', () => {
    const directories = [directoryOfBroker(3)]
    cluster.accepted({ type: 'reportOfflineDirectories', ...cluster.key(3), directories })
    expect(cluster.propose([1, 2, 3])).toBe(code('INELIGIBLE_REPLICA'))
  })

  it('voids earlier ones when it asks for a bump, though it changes nothing', () => {
    const { partitionEpoch } = cluster.partition
    expect(cluster.propose([1, 2, 3])).toBe('0')
    expect(cluster.partition.partitionEpoch).toBe(partitionEpoch)
    expect(cluster.propose([1, 2, 3], { bump: true })).toBe('0')
    expect(cluster.propose([1, 2], { partitionEpoch })).toBe(code('INVALID_UPDATE_VERSION'))
  })
})

describe('durability', () => {
  const flush = (value: string) =>
    cluster.accepted({
      type: 'alterTopicConfig',
      topic: 'orders',
      changes: [{ name: 'naru.flush', operation: 'set', value }],
      validateOnly: false,
    })

  it('ends with the setting, and is back only when the leader says that all is flushed', () => {
    flush('async')
    expect(cluster.partition).toMatchObject({ isFlushed: false, partitionEpoch: 1 })
    expect(cluster.propose([1, 2, 3], { hasFlushed: true })).toBe('0')
    expect(cluster.partition.isFlushed).toBe(false)
    flush('ack')
    expect(cluster.partition.isFlushed).toBe(false)
    expect(cluster.propose([1, 2, 3])).toBe('0')
    expect(cluster.partition.isFlushed).toBe(false)
    expect(cluster.propose([1, 2, 3], { hasFlushed: true })).toBe('0')
    expect(cluster.partition).toMatchObject({ isFlushed: true, partitionEpoch: 2 })
  })

  it('is not back while an eligible replica is away, which nobody can ask', () => {
    flush('async')
    cluster.fence(2, 3)
    flush('ack')
    expect(cluster.partition.elr).toEqual([3])
    expect(cluster.propose([1], { hasFlushed: true })).toBe('0')
    expect(cluster.partition.isFlushed).toBe(false)
  })
})

describe('min.insync.replicas', () => {
  const set = (value: string) =>
    cluster.accepted({
      type: 'alterTopicConfig',
      topic: 'orders',
      changes: [{ name: 'min.insync.replicas', operation: 'set', value }],
      validateOnly: false,
    })

  it('changes the partitions in the same batch, so that no leader uses the old value', () => {
    set('3')
    expect(cluster.records.map(({ type }) => type)).toEqual(['change', 'config', 'partition'])
    expect(cluster.partition).toMatchObject({ minIsr: 3, partitionEpoch: 1, leaderEpoch: 0 })
    set('9')
    expect(cluster.partition).toMatchObject({ minIsr: 3, partitionEpoch: 1 })
  })

  it('falls back to what the controller is configured with', () => {
    set('1')
    cluster.accepted({
      type: 'replaceTopicConfig',
      topic: 'orders',
      configs: [],
      validateOnly: false,
    })
    expect(cluster.partition).toMatchObject({ minIsr: 2 })
  })
})
