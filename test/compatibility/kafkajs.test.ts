// kafkajs 2.2.4: never looks at the lowest version that a broker offers, and speaks no flexible version.

import { connect } from '@naru/client'
import { CompressionTypes, ConfigResourceTypes, Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BrokerProcess } from '../support/broker-process.ts'

let broker: BrokerProcess
let kafka: Kafka

beforeAll(async () => {
  broker = await BrokerProcess.start()
  kafka = new Kafka({ brokers: [broker.bootstrap], logLevel: logLevel.NOTHING })
})

afterAll(async () => {
  await broker[Symbol.asyncDispose]()
})

async function values(topic: string): Promise<string[]> {
  await using client = await connect(broker.bootstrap)
  const found: string[] = []
  for await (const record of client.consume(topic, { from: 'earliest', untilEnd: true })) {
    found.push(`${record.key}=${record.value}`)
  }
  return found
}

it.each([
  { name: 'plain', idempotent: false, compression: CompressionTypes.None, acks: -1 },
  { name: 'leader', idempotent: false, compression: CompressionTypes.None, acks: 1 },
  { name: 'idempotent', idempotent: true, compression: CompressionTypes.GZIP, acks: -1 },
])('produces: $name', async ({ name, idempotent, compression, acks }) => {
  const topic = `kafkajs-${name}`
  const producer = kafka.producer({ idempotent, maxInFlightRequests: 1 })
  await producer.connect()
  const messages = Array.from({ length: 20 }, (_, index) => ({
    key: `k${index}`,
    value: `v${index}`,
  }))
  await producer.send({ topic, messages, compression, acks })
  await producer.disconnect()
  expect(await values(topic)).toEqual(messages.map(({ key, value }) => `${key}=${value}`))
})

it('administers topics, offsets and configurations', async () => {
  const admin = kafka.admin()
  await admin.connect()
  const topics = [{ topic: 'administered', numPartitions: 3, replicationFactor: 1 }]
  expect(await admin.createTopics({ topics })).toBe(true)
  expect(await admin.createTopics({ topics })).toBe(false)
  const { topics: described } = await admin.fetchTopicMetadata({ topics: ['administered'] })
  expect(described[0]?.partitions).toHaveLength(3)
  const resource = { type: ConfigResourceTypes.TOPIC, name: 'administered' }
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ ...resource, configEntries: [{ name: 'retention.ms', value: '1234567' }] }],
  })
  const configs = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ ...resource, configNames: ['retention.ms'] }],
  })
  expect(configs.resources[0]?.configEntries[0]?.configValue).toBe('1234567')
  await admin.createPartitions({ topicPartitions: [{ topic: 'administered', count: 5 }] })
  expect(await admin.fetchTopicOffsets('administered')).toHaveLength(5)
  await admin.deleteTopics({ topics: ['administered'] })
  expect(await admin.listTopics()).not.toContain('administered')
  await admin.disconnect()
})

it('is told about groups that they are not there, and does not hang', async () => {
  const admin = kafka.admin({ retry: { retries: 0 } })
  await admin.connect()
  await expect(admin.fetchOffsets({ groupId: 'g', topics: ['t'] })).rejects.toThrow()
  await admin.disconnect()
})
