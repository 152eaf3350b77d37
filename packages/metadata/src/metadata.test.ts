import { kafkaErrors } from '@naru/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideTopicConfig } from './configs.ts'
import { isRefusal } from './decision.ts'
import { emptyImage, type MetadataImage } from './image.ts'
import { imageRecords } from './image-records.ts'
import { placeReplicas } from './placement.ts'
import { decodeMetadataRecords, encodeMetadataRecords, type MetadataRecord } from './records.ts'
import { replay } from './replay.ts'
import { idOf, settingsWith, TestCluster } from './testing/cluster.ts'
import { decideCreatePartitions, decideCreateTopic, type NewTopic } from './topics.ts'

const options = { topicId: idOf(2), settings: settingsWith() }
const { settings } = options

function imageWith(...nodeIds: number[]): MetadataImage {
  return new TestCluster(...nodeIds).image
}

const topic = (changes: Partial<NewTopic> = {}): NewTopic => ({
  name: 'orders',
  partitions: 3,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...changes,
})

function created(image: MetadataImage, changes: Partial<NewTopic> = {}) {
  const decided = decideCreateTopic(image, topic(changes), options)
  if (!isRefusal(decided)) for (const record of decided.records) replay(image, record)
  return decided
}

const errorOf = (decided: object) => (isRefusal(decided) ? decided.error.name : undefined)

describe('decideCreateTopic()', () => {
  it('takes the defaults for -1', () => {
    const image = imageWith(1)
    expect(created(image, { partitions: -1, replicationFactor: -1 })).toMatchObject({
      partitions: 2,
    })
    expect(image.topics.get('orders')?.partitions).toHaveLength(2)
  })

  it.each<[string, Partial<NewTopic>]>([
    ['INVALID_TOPIC_EXCEPTION', { name: 'no spaces' }],
    ['INVALID_TOPIC_EXCEPTION', { name: '..' }],
    ['INVALID_REQUEST', { name: '__cluster_metadata' }],
    ['INVALID_PARTITIONS', { partitions: 0 }],
    ['INVALID_REPLICATION_FACTOR', { partitions: 0, replicationFactor: 0 }],
    ['INVALID_CONFIG', { configs: [{ name: 'retention.ms', value: null }] }],
    ['POLICY_VIOLATION', { partitions: 10_001 }],
    ['INVALID_REPLICATION_FACTOR', { replicationFactor: 0 }],
    ['INVALID_REPLICATION_FACTOR', { replicationFactor: 2 }],
    ['INVALID_CONFIG', { configs: [{ name: 'retention.mss', value: '1' }] }],
    ['INVALID_CONFIG', { configs: [{ name: 'cleanup.policy', value: 'compact' }] }],
    ['INVALID_CONFIG', { configs: [{ name: 'segment.bytes', value: 'big' }] }],
    ['INVALID_REQUEST', { assignments: [{ partition: 0, replicas: [1] }] }],
  ])('refuses with %s: %j', (name, changes) => {
    expect(errorOf(created(imageWith(1), changes))).toBe(name)
  })

  it('refuses a name that exists, and one that collides with it', () => {
    const image = imageWith(1)
    created(image, { name: 'a.b' })
    expect(errorOf(created(image, { name: 'a.b' }))).toBe('TOPIC_ALREADY_EXISTS')
    expect(errorOf(created(image, { name: 'a_b' }))).toBe('INVALID_TOPIC_EXCEPTION')
  })

  it('refuses assignments with gaps, twins or strangers', () => {
    const given = (...assignments: NewTopic['assignments']) =>
      errorOf(created(imageWith(1, 2), { partitions: -1, replicationFactor: -1, assignments }))
    expect(given({ partition: 1, replicas: [1] })).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(given({ partition: 0, replicas: [1, 1] })).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(given({ partition: 0, replicas: [9] })).toBe('INVALID_REPLICA_ASSIGNMENT')
    expect(given({ partition: 0, replicas: [2, 1] })).toBeUndefined()
  })
})

it('decideCreatePartitions() only grows', () => {
  const image = imageWith(1)
  created(image)
  const grow = (count: number) =>
    decideCreatePartitions(image, { name: 'orders', count, assignments: null }, settings)
  expect(errorOf(grow(3))).toBe('INVALID_PARTITIONS')
  expect(grow(5)).toHaveLength(2)
})

it('decideTopicConfig() appends to and subtracts from lists, and nothing else', () => {
  const image = imageWith(1)
  created(image)
  const change = (name: string, operation: 'append' | 'subtract' | 'set', value: string) =>
    decideTopicConfig(image, { topic: 'orders', changes: [{ name, operation, value }] }, settings)
  expect(change('cleanup.policy', 'subtract', 'delete')).toMatchObject([{ value: '' }])
  expect(errorOf(change('retention.ms', 'append', '1'))).toBe(kafkaErrors.INVALID_CONFIG.name)
  expect(change('retention.ms', 'set', '1')).toMatchObject([{ value: '1' }])
})

it('decideTopicConfig() keeps values in their canonical form, and lets go of what cannot be there', () => {
  const image = imageWith(1)
  created(image, { configs: [{ name: 'retention.ms', value: ' +7' }] })
  expect(image.configs.get('2:orders')?.get('retention.ms')).toBe('7')
  const change = (topicName: string, name: string, value: string | null) =>
    decideTopicConfig(
      image,
      {
        topic: topicName,
        changes: [{ name, operation: value === null ? 'delete' : 'set', value }],
      },
      settings,
    )
  expect(change('orders', 'preallocate', 'TRUE')).toMatchObject([{ value: 'true' }])
  expect(change('orders', 'no.such.key', null)).toEqual([])
  expect(errorOf(change('orders', 'no.such.key', '1'))).toBe('INVALID_CONFIG')
  expect(errorOf(change('others', 'retention.ms', '1'))).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  expect(errorOf(change('not good', 'retention.ms', '1'))).toBe('INVALID_TOPIC_EXCEPTION')
  expect(errorOf(change('', 'retention.ms', '1'))).toBe('INVALID_REQUEST')
})

it('placeReplicas() spreads leaders evenly and neighbours over racks', () => {
  const brokers = [1, 2, 3, 4].map((nodeId) => ({ nodeId, rack: nodeId < 3 ? 'a' : 'b' }))
  const placed = placeReplicas(brokers, {
    firstPartition: 0,
    count: 8,
    replicationFactor: 2,
    start: 0,
  })
  const rackOf = (nodeId: number) => (nodeId < 3 ? 'a' : 'b')
  for (const [first, second] of placed as [number, number][]) {
    expect(rackOf(first)).not.toBe(rackOf(second))
  }
  const leaders = placed.map(([leader]) => leader)
  for (const nodeId of [1, 2, 3, 4])
    expect(leaders.filter((each) => each === nodeId)).toHaveLength(2)
})

it('records replayed from their bytes give the same image, whatever happened', () => {
  const names = fc.constantFrom('a', 'b', 'c')
  const command = fc.record({
    name: names,
    kind: fc.constantFrom('create', 'grow', 'set', 'remove'),
  })
  fc.assert(
    fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
      const live = imageWith(1)
      const log: Buffer[] = [encodeMetadataRecords(imageRecords(live))]
      for (const [index, { name, kind }] of commands.entries()) {
        const records = recordsFor(live, name, kind, index)
        log.push(encodeMetadataRecords(records))
        for (const record of records) replay(live, record)
      }
      const again = emptyImage()
      for (const bytes of log)
        for (const record of decodeMetadataRecords(bytes)) replay(again, record)
      expect(again).toEqual(live)
    }),
  )
})

function recordsFor(
  image: MetadataImage,
  name: string,
  kind: string,
  index: number,
): readonly MetadataRecord[] {
  const known = image.topics.get(name)
  if (kind === 'create') {
    const topicId = Buffer.alloc(16, index + 1).toString('base64url')
    const decided = decideCreateTopic(image, topic({ name }), { ...options, topicId })
    return isRefusal(decided) ? [] : decided.records
  }
  if (known === undefined) return []
  if (kind === 'remove') return [{ type: 'removeTopic', topicId: known.topicId, holders: null }]
  if (kind === 'grow') {
    const count = known.partitions.length + 1
    const decided = decideCreatePartitions(image, { name, count, assignments: null }, settings)
    return 'error' in decided ? [] : decided
  }
  const changes = [{ name: 'retention.ms', operation: 'set', value: String(index) }] as const
  const decided = decideTopicConfig(image, { topic: name, changes }, settings)
  return 'error' in decided ? [] : decided
}
