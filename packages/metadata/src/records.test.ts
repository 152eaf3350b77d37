import { DecodeError } from '@naru/base'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { emptyImage } from './image.ts'
import { decodeMetadataRecords, encodeMetadataRecords, type MetadataRecord } from './records.ts'
import { replay } from './replay.ts'
import { directoryOfBroker, idOf, TestCluster } from './testing/cluster.ts'

/** As the first program wrote it: a cluster, its one broker, a topic with a partition, the removal of another. */
const firstVersion = Buffer.from(
  [
    '08', // records
    '0000026300', // cluster 'c'
    '0700116d657461646174612e76657273696f6e001d00', // feature metadata.version 29
    '0100000000010000000000000004', // broker 1, epoch 4
    `${'00'.repeat(15)}05`, // incarnation
    '00', // no rack
    '020a504c41494e5445585402680000238400', // PLAINTEXT h:9092
    `02${'00'.repeat(14)}03e900`, // one directory
    `0200${'00'.repeat(15)}01076f726465727300`, // topic 'orders'
    `0300${'00'.repeat(15)}0100000000`, // partition 0 of it
    `0200000001`, // replicas [1]
    `02${'00'.repeat(14)}03e9`, // directories
    '0200000001', // ISR [1]
    '00000001000000030000000500', // leader 1, epochs 3 and 5
    `0200${'00'.repeat(15)}0205676f6e6500`, // topic 'gone'
    `0400${'00'.repeat(15)}0200`, // removed
    '0600000000000000138800', // producer ids from 5000
  ].join(''),
  'hex',
)

it('records of the first version are read, and their broker is fenced', () => {
  const image = emptyImage()
  for (const record of decodeMetadataRecords(firstVersion)) replay(image, record)
  expect(image.brokers.get(1)).toMatchObject({
    brokerEpoch: 4n,
    isFenced: true,
    metadataDirectory: idOf(0),
    features: [],
  })
  expect(image.topics.get('orders')?.partitions).toEqual([
    {
      topicId: idOf(1),
      partition: 0,
      replicas: [1],
      directories: [directoryOfBroker(1)],
      isr: [1],
      leader: 1,
      leaderEpoch: 3,
      partitionEpoch: 5,
      elr: [],
      lastKnownElr: [],
      minIsr: 1,
      isFlushed: true,
      isRecovering: false,
      addingReplicas: [],
      removingReplicas: [],
      removedReplicas: [],
    },
  ])
  expect(image.nextProducerId).toBe(5_000n)
})

it('a broker of the first version registers anew and leads what it led', () => {
  const cluster = new TestCluster()
  for (const record of decodeMetadataRecords(firstVersion)) replay(cluster.image, record)
  cluster.start(1, { directories: [cluster.directory(1, { brokerEpoch: -1n })] })
  expect(cluster.partition).toMatchObject({ leader: -1, isr: [], elr: [1] })
  expect(cluster.image.features.get('naru.version')).toBe(2)
  cluster.unfence(1)
  expect(cluster.partition).toMatchObject({ leader: 1, isr: [1], elr: [], leaderEpoch: 5 })
})

it('a level that is not reached yet is not written', () => {
  const orders: MetadataRecord = { type: 'topic', topicId: idOf(1), name: 'orders' }
  const removed: MetadataRecord = { type: 'removeTopic', topicId: idOf(1), holders: [7] }
  expect(decodeMetadataRecords(encodeMetadataRecords([orders, removed], 0))).toEqual([
    orders,
    { ...removed, holders: null },
  ])
  const change: MetadataRecord = { type: 'change', timestampMs: 1n, cause: '' }
  expect(() => encodeMetadataRecords([change], 0)).toThrow('no record change')
})

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const nodes = fc.array(int32, { maxLength: 4 })
const uuids = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => {
  return Buffer.from(bytes).toString('base64url')
})
const state = {
  partition: int32,
  leader: int32,
  leaderEpoch: int32,
  partitionEpoch: int32,
  isr: nodes,
  elr: nodes,
  lastKnownElr: nodes,
}
const partitions = fc.record({
  type: fc.constant('partition' as const),
  topicId: uuids,
  replicas: nodes,
  directories: fc.array(uuids, { maxLength: 4 }),
  minIsr: int32,
  isFlushed: fc.boolean(),
  isRecovering: fc.boolean(),
  addingReplicas: nodes,
  removingReplicas: nodes,
  removedReplicas: nodes,
  ...state,
})
const partitionStates = fc.record({
  type: fc.constant('partitionStates' as const),
  topicId: uuids,
  partitions: fc.array(fc.record(state), { maxLength: 3 }),
})

it('a partition is what it was, in short and in full', () => {
  fc.assert(
    fc.property(fc.array(partitions), (records) => {
      for (const level of [1, 2]) {
        expect(decodeMetadataRecords(encodeMetadataRecords(records, level))).toEqual(records)
      }
    }),
  )
  const short: fc.Arbitrary<MetadataRecord> = fc.oneof(partitions, partitionStates)
  fc.assert(
    fc.property(fc.array(short), (records) => {
      expect(decodeMetadataRecords(encodeMetadataRecords(records))).toEqual(records)
    }),
  )
})

it('states of partitions are not written before their level', () => {
  const record: MetadataRecord = { type: 'partitionStates', topicId: idOf(1), partitions: [] }
  expect(() => encodeMetadataRecords([record], 1)).toThrow('no record partitionStates')
})

it('whatever the bytes are, at worst they are refused', () => {
  const damaged = (whole: Buffer) =>
    fc.record({ at: fc.nat(whole.length - 1), byte: fc.nat(255) }).map(({ at, byte }) => {
      const bytes = Buffer.from(whole)
      bytes[at] = byte
      return bytes
    })
  const short: fc.Arbitrary<MetadataRecord> = fc.oneof(partitions, partitionStates)
  const bytesOf = fc.oneof(
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    damaged(firstVersion),
    fc.array(short).chain((records) => damaged(encodeMetadataRecords(records))),
  )
  fc.assert(
    fc.property(bytesOf, (bytes) => {
      try {
        decodeMetadataRecords(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError)
      }
    }),
  )
})
