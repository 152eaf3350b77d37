// Our own consumer among followers (KIP-392) and leader epochs (KIP-320): whom it asks, and that it reads everything once and in order.
import { type Client, type ConsumedRecord, connect } from '@naru/client'
import { expect, it } from 'vitest'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { eventually } from '../support/eventually.ts'
import { naru } from '../support/naru.ts'
import { rackOf, startRacks } from '../support/racks.ts'
import { RecordedFetches } from '../support/recorded-fetches.ts'
import { leaderOf, partitionsOf, untilWhole } from '../support/replicated-topic.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import type { TestCluster } from '../support/test-cluster.ts'

const topic = 'near'

/** Writes records that say where they are. */
class Numbers {
  readonly #client: Client
  #next = 0

  constructor(client: Client) {
    this.#client = client
  }

  async more(count: number): Promise<void> {
    const producer = this.#client.producer()
    const sent = Array.from({ length: count }, () =>
      producer.send({ topic, value: String(this.#next++) }),
    )
    await Promise.all(sent)
  }
}

/** Reads on and on, and notes whom it asks. */
class Reader implements AsyncDisposable {
  readonly fetches = new RecordedFetches()
  readonly values: number[] = []
  readonly #stopping = new AbortController()
  readonly #reading: Promise<void>
  #failure: unknown

  constructor(bootstrap: string, rack: string | undefined) {
    this.#reading = this.#read(bootstrap, rack).catch((error: unknown) => {
      this.#failure = error
    })
  }

  /** Resolves when it has read so many records, all in order. */
  async until(count: number): Promise<void> {
    await eventually(`a consumer has ${count} records`, async () => {
      if (this.#failure !== undefined) throw this.#failure
      return this.values.length >= count || undefined
    })
    expect(this.values).toEqual(Array.from({ length: count }, (_, index) => index))
  }

  /** What it asked a broker from an offset on. */
  asked({ kafkaPort }: ClusterBroker, from = 0n) {
    return this.fetches.all.filter(({ port, offset }) => port === kafkaPort && offset >= from)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await this.#reading
  }

  async #read(bootstrap: string, rack: string | undefined): Promise<void> {
    const { transport } = this.fetches
    await using client = await connect(bootstrap, { transport })
    const { signal } = this.#stopping
    const options = { from: 'earliest', signal, ...(rack !== undefined && { rack }) } as const
    for await (const { value, offset } of client.consume(topic, options)) {
      this.values.push(numberOf(value, offset))
    }
  }
}

function numberOf(value: ConsumedRecord['value'], offset: bigint): number {
  const number = Number(value?.toString())
  expect(BigInt(number)).toBe(offset)
  return number
}

const epochOf = async (cluster: TestCluster) =>
  (await partitionsOf(cluster, topic))?.[0]?.leaderEpoch ?? -1

it('reads from the follower in its rack, from the leader while that is away, and there again', async () => {
  await using cluster = await startRacks(topic)
  await using client = await connect(cluster.bootstrap)
  const numbers = new Numbers(client)
  const leader = await leaderOf(cluster, topic)
  const [near, far] = cluster.others(leader) as [ClusterBroker, ClusterBroker]
  await numbers.more(20)
  await using reader = new Reader(cluster.bootstrap, rackOf(near))
  await reader.until(20)
  const epoch = await epochOf(cluster)
  const asking = { rackId: rackOf(near), currentLeaderEpoch: epoch }
  // The leader gave nothing: it was asked once, and the follower gave all.
  expect(reader.asked(leader)).toEqual([{ ...asking, port: leader.kafkaPort, offset: 0n }])
  expect(reader.asked(near)[0]).toEqual({ ...asking, port: near.kafkaPort, offset: 0n })

  await near.kill()
  await numbers.more(20)
  await reader.until(40)
  expect(reader.asked(leader).at(-1)).toMatchObject({ rackId: '' })
  await near.start()
  await untilWhole(cluster, topic)
  await eventually('the follower is asked again', async () =>
    reader.asked(near, 40n).length > 0 ? true : undefined,
  )
  await numbers.more(20)
  await reader.until(60)
  expect(reader.asked(near, 59n)).not.toEqual([])
  expect(reader.asked(far)).toEqual([])
}, 120_000)

it.each(['in the rack of a follower', 'anywhere'] as const)(
  'a consumer %s goes on in the next leader epoch',
  async (where) => {
    await using cluster = await startRacks(topic)
    await using client = await connect(cluster.bootstrap)
    const numbers = new Numbers(client)
    const leader = await leaderOf(cluster, topic)
    const [near] = cluster.others(leader) as [ClusterBroker]
    await numbers.more(20)
    const rack = where === 'anywhere' ? undefined : rackOf(near)
    await using reader = new Reader(cluster.bootstrap, rack)
    await reader.until(20)
    const before = await epochOf(cluster)
    expect(reader.fetches.all.map(({ currentLeaderEpoch }) => currentLeaderEpoch)).toEqual(
      reader.fetches.all.map(() => before),
    )
    await leader.kill()
    await leaderOf(cluster, topic)
    await numbers.more(20)
    await reader.until(40)
    await numbers.more(20)
    await reader.until(60)
    const epochs = reader.fetches.all.map(({ currentLeaderEpoch }) => currentLeaderEpoch)
    expect(epochs.at(-1)).toBeGreaterThan(before)
    expect(epochs).toEqual(epochs.toSorted((a, b) => a - b))
  },
  120_000,
)

it('naru consume --rack reads the same, from there', async () => {
  await using proxies = new AsyncDisposableStack()
  const ways = new Map<ClusterBroker, TcpProxy>()
  await using cluster = await startRacks(topic, async (broker) => {
    const proxy = proxies.use(await TcpProxy.start({ host: '127.0.0.1', port: broker.kafkaPort }))
    broker.settings.set('advertised.listeners', `PLAINTEXT://127.0.0.1:${proxy.port}`)
    ways.set(broker, proxy)
  })
  await using client = await connect(cluster.bootstrap)
  await new Numbers(client).more(20)
  const leader = await leaderOf(cluster, topic)
  const [near, far] = cluster.others(leader) as [ClusterBroker, ClusterBroker]
  const args = ['consume', topic, '-e', '-f', '%v ', '-b', cluster.bootstrap, '--rack']
  const expected = Array.from({ length: 20 }, (_, index) => `${index} `).join('')
  const heardOf = (broker: ClusterBroker) => ways.get(broker)?.back.bytes ?? 0
  for (const [rack, isNear] of [
    [rackOf(near), true],
    [rackOf(leader), false],
    ['elsewhere', false],
  ] as const) {
    const before = { near: heardOf(near), far: heardOf(far) }
    expect(await naru([...args, rack])).toMatchObject({ code: 0, stdout: expected })
    expect(heardOf(near) > before.near).toBe(isNear)
    expect(heardOf(far)).toBe(before.far)
  }
}, 120_000)
