import { DecodeError } from '@naru/base'
import { kafkaErrors, zeroTopicId } from '@naru/model'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeCommand, decodeResult, encodeCommand, encodeResult } from './command-codec.ts'
import { type Command, decide } from './commands.ts'
import { isRefusal, refusal } from './decision.ts'
import { supportedFeatures } from './feature-levels.ts'
import { emptyImage } from './image.ts'
import { replay } from './replay.ts'
import { idOf, settingsWith, TestCluster } from './testing/cluster.ts'

const id = idOf(1)
const context = { index: 7n, nowMs: 1_000, settings: settingsWith(), features: supportedFeatures }

const commands: Command[] = [
  {
    type: 'createTopic',
    topic: {
      name: 'orders',
      partitions: -1,
      replicationFactor: -1,
      assignments: [{ partition: 0, replicas: [1, 2] }],
      configs: [{ name: 'retention.ms', value: null }],
    },
    topicId: id,
    validateOnly: true,
  },
  { type: 'deleteTopic', name: null, topicId: id },
  { type: 'deleteTopic', name: 'orders', topicId: zeroTopicId },
  { type: 'createPartitions', name: 'orders', count: 3, assignments: null, validateOnly: false },
  { type: 'createPartitions', name: 'orders', count: 3, assignments: [[1]], validateOnly: false },
  {
    type: 'alterTopicConfig',
    topic: 'orders',
    changes: [
      { name: 'a', operation: 'subtract', value: 'b' },
      { name: 'c', operation: 'delete', value: null },
    ],
    validateOnly: false,
  },
  {
    type: 'replaceTopicConfig',
    topic: 'orders',
    configs: [{ name: 'a', value: 'b' }],
    validateOnly: false,
  },
  {
    type: 'alterBrokerConfig',
    broker: '1',
    changes: [{ name: 'a', operation: 'set', value: 'b' }],
    validateOnly: true,
  },
  { type: 'allocateProducerIds' },
  { type: 'registerBroker', ...new TestCluster(1).registration(1, { rack: 'r' }) },
  { type: 'fenceBroker', nodeId: 1, brokerEpoch: 2n, cause: 'why' },
  { type: 'unfenceBroker', nodeId: 1, brokerEpoch: 2n },
  { type: 'controlledShutdown', nodeId: 1, brokerEpoch: 2n },
  { type: 'reportOfflineDirectories', nodeId: 1, brokerEpoch: 2n, directories: [id] },
  {
    type: 'reportLostReplicas',
    nodeId: 1,
    brokerEpoch: 2n,
    isStarting: true,
    replicas: [{ topicId: id, partition: 3, lost: 'end' }],
  },
  { type: 'unregisterBroker', nodeId: 1 },
  { type: 'confirmDeletion', nodeId: 1, deletions: [{ topicId: id, partition: -1 }] },
  {
    type: 'alterPartition',
    nodeId: 1,
    brokerEpoch: 2n,
    partitions: [
      {
        topicId: id,
        partition: 0,
        leaderEpoch: 3,
        partitionEpoch: 4,
        isr: [{ nodeId: 1, brokerEpoch: -1n }],
        isRecovering: true,
        hasFlushed: true,
        bump: true,
      },
    ],
  },
  {
    type: 'electLeaders',
    kind: 'unclean',
    isCommanded: true,
    partitions: [
      {
        topicId: id,
        partition: 0,
        candidates: [{ nodeId: 1, brokerEpoch: 2n, lastEpoch: 3, logEndOffset: 4n }],
      },
    ],
  },
  {
    type: 'reassignPartitions',
    allowsOtherFactor: true,
    partitions: [
      { topicId: id, partition: 0, replicas: [2, 1] },
      { topicId: id, partition: 1, replicas: null },
    ],
  },
  {
    type: 'updateFeatures',
    updates: [{ name: 'metadata.version', level: 30, upgradeType: 1 }],
    validateOnly: true,
  },
]

it.each(commands)('$type is the same after its way over the wire', (command) => {
  expect(decodeCommand(encodeCommand(command))).toEqual(command)
})

it('answers and refusals are the same after their way over the wire', () => {
  const created = { topicId: id, partitions: 3, replicationFactor: 2 }
  expect(decodeResult('createTopic', encodeResult('createTopic', created))).toEqual(created)
  const taken = { firstProducerId: 2n ** 62n, count: 1000 }
  const bytes = encodeResult('allocateProducerIds', taken)
  expect(decodeResult('allocateProducerIds', bytes)).toEqual(taken)
  const no = refusal(kafkaErrors.TOPIC_ALREADY_EXISTS, 'Topic exists')
  expect(decodeResult('createTopic', encodeResult('createTopic', no))).toEqual(no)
})

it('bytes that are no command, or the start of one, are refused as such', () => {
  const decoded = (bytes: Buffer) => {
    try {
      return decodeCommand(bytes)
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError)
      return undefined
    }
  }
  const damaged = fc
    .record({ command: fc.constantFrom(...commands), at: fc.nat(), byte: fc.nat(255) })
    .map(({ command, at, byte }) => {
      const bytes = encodeCommand(command)
      bytes[at % bytes.length] = byte
      return bytes
    })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), damaged), (bytes) => void decoded(Buffer.from(bytes))),
  )
  for (const command of commands) {
    const bytes = encodeCommand(command)
    expect(decoded(Buffer.concat([bytes, Buffer.from([0])]))).toBeUndefined()
    for (let size = 0; size < bytes.length; size++) {
      expect(decoded(bytes.subarray(0, size))).toBeUndefined()
    }
  }
})

it('producer ids are given out once, and never beyond the last', () => {
  const image = emptyImage()
  const seen: bigint[] = []
  for (let i = 0; i < 3; i++) {
    const { records, response } = decide(image, { type: 'allocateProducerIds' }, context)
    if (!isRefusal(response)) seen.push(response.firstProducerId)
    for (const record of records) replay(image, record)
  }
  expect(seen).toEqual([0n, 1000n, 2000n])
  image.nextProducerId = 2n ** 63n - 999n
  const { records, response } = decide(image, { type: 'allocateProducerIds' }, context)
  expect(isRefusal(response)).toBe(true)
  expect(records).toEqual([])
})

it('validateOnly answers without records', () => {
  const { image } = new TestCluster(1)
  const topic = {
    name: 'orders',
    partitions: -1,
    replicationFactor: -1,
    assignments: [],
    configs: [],
  }
  const create = (validateOnly: boolean) =>
    decide(image, { type: 'createTopic', topic, topicId: id, validateOnly }, context)
  const response = { topicId: id, partitions: 2, replicationFactor: 1 }
  expect(create(true)).toEqual({ records: [], response })
  expect(create(false)).toMatchObject({ records: { length: 4 }, response })
})

it('a batch begins with when and why it was decided', () => {
  const cluster = new TestCluster(1)
  cluster.nowMs = 5_000
  cluster.topic([1])
  const because = (cause: string) => ({ type: 'change', timestampMs: 5_000n, cause })
  expect(cluster.records[0]).toEqual(because('createTopic'))
  cluster.fence(1)
  expect(cluster.records[0]).toEqual(because('session timeout'))
})

it('a creation that is asked again, since its answer was lost, is answered as before and not done again', () => {
  const cluster = new TestCluster(1)
  cluster.topic([1])
  const topic = { partitions: 1, replicationFactor: 1, assignments: [], configs: [] }
  const create = { type: 'createTopic', topicId: id, validateOnly: false } as const
  const again = cluster.run({ ...create, topic: { ...topic, name: 'orders' } })
  expect(again).toEqual({ topicId: id, partitions: 1, replicationFactor: 1 })
  expect(cluster.records).toEqual([])
  // The same name under another id is another creation, and the same id under another name is a mistake.
  const other = { ...create, topicId: idOf(9), topic: { ...topic, name: 'orders' } }
  expect(cluster.refused(other)).toBe(kafkaErrors.TOPIC_ALREADY_EXISTS.name)
  const stolen = { ...create, topic: { ...topic, name: 'others' } }
  expect(cluster.refused(stolen)).toBe(kafkaErrors.INVALID_REQUEST.name)
})

it('a topic without a number gets the default, or while that is not set as many replicas as there are brokers', () => {
  const cluster = new TestCluster(1, 2)
  const create = {
    type: 'createTopic',
    topicId: id,
    validateOnly: true,
    topic: { name: 'orders', partitions: 1, replicationFactor: -1, assignments: [], configs: [] },
  } as const
  const defaults = { partitions: 1, replicationFactor: 3 }
  cluster.settings = {
    ...cluster.settings,
    defaults: { ...defaults, isReplicationFactorSet: true },
  }
  expect(cluster.refused(create)).toBe(kafkaErrors.INVALID_REPLICATION_FACTOR.name)
  cluster.settings = {
    ...cluster.settings,
    defaults: { ...defaults, isReplicationFactorSet: false },
  }
  expect(cluster.run(create)).toMatchObject({ replicationFactor: 2 })
})

it('a topic is deleted by name or id, unless the controller forbids it', () => {
  const named = { type: 'deleteTopic', name: 'orders', topicId: zeroTopicId } as const
  const byId = { type: 'deleteTopic', name: null, topicId: id } as const
  for (const command of [named, byId]) {
    const cluster = new TestCluster(1)
    cluster.topic([1])
    expect(cluster.run(command)).toEqual({ topicId: id, name: 'orders' })
    expect(cluster.image.topics.size).toBe(0)
  }
  const cluster = new TestCluster(1)
  cluster.topic([1])
  cluster.settings = { ...cluster.settings, isDeletionEnabled: false }
  expect(cluster.refused(named)).toBe(kafkaErrors.TOPIC_DELETION_DISABLED.name)
})

it('a creation that is repeated is answered as the first time', () => {
  const cluster = new TestCluster(1, 2)
  const create = {
    type: 'createTopic',
    topic: { name: 'a', partitions: 3, replicationFactor: 2, assignments: [], configs: [] },
    topicId: idOf(9),
    validateOnly: false,
  } as const
  const first = cluster.accepted(create)
  expect(cluster.accepted(create)).toEqual(first)
  expect(cluster.records).toEqual([])
})

it('a creation that is repeated after the deletion of its topic does not bring the topic back', () => {
  const cluster = new TestCluster(1, 2)
  const create = {
    type: 'createTopic',
    topic: { name: 'a', partitions: 3, replicationFactor: 2, assignments: [], configs: [] },
    topicId: idOf(9),
    validateOnly: false,
  } as const
  cluster.accepted(create)
  cluster.accepted({ type: 'deleteTopic', name: 'a', topicId: idOf(0) })
  const made = { topicId: idOf(9), partitions: 3, replicationFactor: 2 }
  expect(cluster.accepted(create)).toEqual(made)
  expect(cluster.image.topics.has('a')).toBe(false)
  // Nor when nothing is left of it anywhere.
  const deletions = [{ topicId: idOf(9), partition: -1 }]
  for (const nodeId of [1, 2]) cluster.accepted({ type: 'confirmDeletion', nodeId, deletions })
  expect(cluster.image.deletedTopics.size).toBe(0)
  expect(cluster.accepted(create)).toEqual(made)
  expect(cluster.image.topics.has('a')).toBe(false)
})
