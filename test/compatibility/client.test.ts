// Our own client, against Apache Kafka and against our broker: the same suite, so that it is a Kafka client and not only ours.

import { type Client, connect, NaruError } from '@naru/client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ApacheKafka } from '../support/apache-kafka.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { hasJavaTools } from '../support/java-tools.ts'

interface Cluster extends AsyncDisposable {
  readonly bootstrap: string
}

function suite(start: () => Promise<Cluster>): void {
  let cluster: Cluster
  let client: Client

  beforeAll(async () => {
    cluster = await start()
    client = await connect(cluster.bootstrap)
  })

  afterAll(async () => {
    await client?.[Symbol.asyncDispose]()
    await cluster?.[Symbol.asyncDispose]()
  })

  async function values(topic: string, from: 'earliest' | bigint = 'earliest'): Promise<string[]> {
    const found: string[] = []
    for await (const record of client.consume(topic, { from, untilEnd: true })) {
      found.push(String(record.value))
    }
    return found
  }

  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    'writes and reads with %s',
    async (compression) => {
      const topic = `client-${compression}`
      await client.admin.createTopic(topic, { partitions: 1 })
      await using producer = client.producer({ compression })
      const sent = await Promise.all(
        Array.from({ length: 100 }, (_, index) => producer.send({ topic, value: `v${index}` })),
      )
      expect(sent.map(({ offset }) => Number(offset))).toEqual(sent.map((_, index) => index))
      expect(await values(topic)).toEqual(sent.map((_, index) => `v${index}`))
      expect(await values(topic, -3n)).toEqual(['v97', 'v98', 'v99'])
    },
  )

  it('keeps keys, headers, tombstones and 64-bit timestamps', async () => {
    const topic = 'client-fields'
    await client.admin.createTopic(topic, { partitions: 1 })
    await using producer = client.producer()
    const timestamp = BigInt(Date.now()) - 5n
    await producer.send({ topic, key: 'k', value: null, headers: { h: 'x' }, timestamp })
    for await (const record of client.consume(topic, { from: 'earliest', untilEnd: true })) {
      expect(record).toMatchObject({ offset: 0n, value: null, timestamp, partition: 0 })
      expect(String(record.key)).toBe('k')
      expect(record.headers).toEqual([{ key: 'h', value: Buffer.from('x') }])
    }
  })

  it('administers topics and says why it cannot', async () => {
    const { admin } = client
    await admin.createTopic('client-admin', { partitions: 2, configs: { 'retention.ms': '7000' } })
    expect((await admin.describeTopic('client-admin')).partitions).toHaveLength(2)
    const own = (await admin.describeSettings('client-admin')).filter(({ isOwn }) => isOwn)
    expect(own).toContainEqual({ name: 'retention.ms', value: '7000', isOwn: true })
    await admin.alterSettings('client-admin', { 'retention.ms': undefined })
    const again = await admin.createTopic('client-admin').catch((error: unknown) => error)
    expect(NaruError.is(again, 'NARU_BROKER') && again.kafka?.name).toBe('TOPIC_ALREADY_EXISTS')
    await admin.deleteTopic('client-admin')
  })
}

describe.skipIf(!hasJavaTools())('against Apache Kafka', () => suite(() => ApacheKafka.start()))
describe('against our broker', () => suite(() => BrokerProcess.start()))
