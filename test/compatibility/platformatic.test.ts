// @platformatic/kafka: flexible versions only, the newest that both sides have.
import { Admin, fetchV17, Producer, stringSerializers } from '@platformatic/kafka'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BrokerProcess } from '../support/broker-process.ts'

let broker: BrokerProcess

beforeAll(async () => {
  broker = await BrokerProcess.start()
})

afterAll(async () => {
  await broker[Symbol.asyncDispose]()
})

it('creates, describes and deletes topics, and produces idempotently', async () => {
  const options = { clientId: 'test', bootstrapBrokers: [broker.bootstrap] }
  const admin = new Admin(options)
  const created = await admin.createTopics({ topics: ['platform'], partitions: 2, replicas: 1 })
  expect(created[0]?.partitions).toBe(2)
  const producer = new Producer({ ...options, serializers: stringSerializers, idempotent: true })
  const messages = Array.from({ length: 10 }, (_, index) => ({
    topic: 'platform',
    partition: 0,
    key: `k${index}`,
    value: `v${index}`,
    headers: { h: '1' },
  }))
  const sent = await producer.send({ messages, acks: -1 })
  expect(sent.offsets?.[0]?.offset).toBe(0n)
  await producer.close()
  expect(typeof fetchV17).toBe('object')
  expect(await admin.listTopics()).toContain('platform')
  await admin.deleteTopics({ topics: ['platform'] })
  expect(await admin.listTopics()).not.toContain('platform')
  await admin.close()
})
