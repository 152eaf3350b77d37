// Our own client, against Apache Kafka and against our broker: the same suite, so that it is a Kafka client and not only ours.

import { type Client, type ConsumeOptions, connect, NaruError } from '@naru/client'
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

  async function values(
    topic: string,
    from: 'earliest' | bigint = 'earliest',
    options: Partial<ConsumeOptions> = { untilEnd: true },
  ): Promise<string[]> {
    const found: string[] = []
    for await (const record of client.consume(topic, { from, ...options })) {
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

  it('reads ranges of offsets and times, clamped to what there is', async () => {
    const topic = 'client-ranges'
    await client.admin.createTopic(topic, { partitions: 2 })
    await using producer = client.producer()
    for (let n = 0; n < 10; n++) {
      await producer.send({ topic, partition: 0, value: `v${n}`, timestamp: BigInt(1_000 + n) })
    }
    const read = async (options: Omit<ConsumeOptions, 'partitions'>) => {
      const found: string[] = []
      for await (const record of client.consume(topic, options)) found.push(String(record.value))
      return found.join(' ')
    }
    expect(await read({ from: 3n, until: 6n })).toBe('v3 v4 v5')
    expect(await read({ from: 8n, until: 600n })).toBe('v8 v9')
    expect(await read({ from: 70n, until: 'latest' })).toBe('')
    expect(await read({ from: { afterStart: 8n }, untilEnd: true })).toBe('v8 v9')
    expect(await read({ from: -2n, untilEnd: true })).toBe('v8 v9')
    expect(await read({ from: { timestamp: 1_002n }, until: { timestamp: 1_004n } })).toBe('v2 v3')
    expect(await read({ from: { timestamp: 9_000n }, untilEnd: true })).toBe('')
  })

  it('ends a loop at once when its signal is given', async () => {
    await client.admin.createTopic('client-abort', { partitions: 1 })
    const controller = new AbortController()
    const reading = values('client-abort', 'earliest', { signal: controller.signal })
    controller.abort()
    expect(await reading).toEqual([])
  })

  it('halves a batch that the topic finds too large, until one record is left that is', async () => {
    const topic = 'client-halves'
    await client.admin.createTopic(topic, {
      partitions: 1,
      configs: { 'max.message.bytes': '1000' },
    })
    await using producer = client.producer()
    const wanted = Array.from({ length: 100 }, (_, n) => (n === 60 ? 'x'.repeat(2_000) : `v${n}`))
    const results = await Promise.allSettled(wanted.map((value) => producer.send({ topic, value })))
    const refused = results.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []))
    expect(refused).toEqual([60])
    expect(await values(topic)).toEqual(wanted.toSpliced(60, 1))
  })

  it('keeps the order of records that wait for their topic to be created', async () => {
    await using producer = client.producer()
    const wanted = Array.from({ length: 500 }, (_, n) => `v${n}`)
    await Promise.all(wanted.map((value) => producer.send({ topic: 'client-created', value })))
    expect(await values('client-created')).toEqual(wanted)
  })

  it('administers topics and says why it cannot', async () => {
    const { admin } = client
    await admin.createTopic('client-admin', { partitions: 2, configs: { 'retention.ms': '7000' } })
    expect((await admin.describeTopic('client-admin')).partitions).toHaveLength(2)
    const own = (await admin.describeSettings('client-admin')).filter(
      ({ source }) => source === 'topic',
    )
    expect(own).toContainEqual({ name: 'retention.ms', value: '7000', source: 'topic' })
    await admin.alterSettings('client-admin', { 'retention.ms': undefined })
    const again = await admin.createTopic('client-admin').catch((error: unknown) => error)
    expect(NaruError.is(again, 'NARU_BROKER') && again.kafka?.name).toBe('TOPIC_ALREADY_EXISTS')
    await admin.deleteTopic('client-admin')
  })
}

describe.skipIf(!hasJavaTools())('against Apache Kafka', () => suite(() => ApacheKafka.start()))
describe('against our broker', () => suite(() => BrokerProcess.start()))
