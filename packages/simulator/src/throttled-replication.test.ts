// Replicas that catch up under a limit (KIP-73): two brokers as `createBroker` composes them, without a quorum, on virtual time.
import { silentLogger } from '@naru/base'
import { createReplication } from '@naru/broker'
import { internalListener } from '@naru/consensus'
import { LogDirectory, OpenFiles } from '@naru/log'
import {
  emptyImage,
  type MetadataImage,
  type MetadataRecord,
  replay,
  resourceTypes,
} from '@naru/metadata'
import { encodeBatch } from '@naru/records'
import { Partitions, TopicConfigs } from '@naru/services'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedDisk } from './simulated-disk.ts'
import { SimulatedNetwork } from './simulated-network.ts'

type Side = 'leader' | 'follower'

const topic = 'orders'
const topicId = 'AAAAAAAAAAAAAAAAAAAAAA'
const directoryIds = ['BBBBBBBBBBBBBBBBBBBBBA', 'CCCCCCCCCCCCCCCCCCCCCA']
const journal = { fileCount: 3, fileBytes: 1 << 20, fileBytesMax: 1 << 20, fileCountMax: 6 }
const nodeIds = [1, 2]
const [leaderId, followerId] = [1, 2]
const batchBytes = 10_000
const batchCount = 20
/** Bytes a second: a partition takes 20 s. */
const rate = 10_000

const addressOf = (nodeId: number) => ({ host: `n${nodeId}`, port: 1 })

function partition(number: number, isr: readonly number[]): MetadataRecord {
  return {
    type: 'partition',
    topicId,
    partition: number,
    replicas: nodeIds,
    directories: directoryIds,
    isr,
    leader: leaderId,
    leaderEpoch: 0,
    partitionEpoch: 0,
    elr: [],
    lastKnownElr: [],
    minIsr: 1,
    isFlushed: true,
    isRecovering: false,
    addingReplicas: [],
    removingReplicas: [],
    removedReplicas: [],
  }
}

class World {
  readonly clock = new SimulatedClock()
  readonly image: MetadataImage = emptyImage()
  readonly #random = new SeededRandom(7)
  readonly #network = new SimulatedNetwork(this.clock, this.#random.split())
  readonly #brokers = new Map<number, Partitions>()

  /** `isr`: of all partitions. What they hold the follower lacks. */
  static async start({ partitions = 2, isr = [leaderId], settings = [] as Settings } = {}) {
    const world = new World()
    replay(world.image, { type: 'topic', topicId, name: topic })
    for (const id of nodeIds) {
      const endpoints = [{ listener: internalListener, ...addressOf(id) }]
      const fields = { incarnationId: `i${id}`, rack: null, endpoints, directories: [] }
      const newer = { metadataDirectory: directoryIds[0] as string, features: [] }
      const broker = { nodeId: id, brokerEpoch: BigInt(id), ...fields, ...newer }
      replay(world.image, { type: 'broker', ...broker })
    }
    for (let i = 0; i < partitions; i++) replay(world.image, partition(i, isr))
    for (const record of settings) replay(world.image, record)
    await world.clock.drive(world.#start(leaderId))
    for (let i = 0; i < partitions; i++) await world.write(i)
    await world.clock.drive(world.#start(followerId))
    return world
  }

  async write(number: number, count = batchCount): Promise<void> {
    const host = this.#brokers.get(leaderId)?.get(topic, number)
    await this.clock.drive(Promise.resolve(host?.open()))
    for (let i = 0; i < count; i++) {
      const value = Buffer.alloc(batchBytes - 80, i)
      const record = { key: null, value, headers: [], timestamp: BigInt(this.clock.now()) }
      host?.append(encodeBatch([record]), { produceVersion: 9, acks: 1 })
    }
    await this.run(20)
  }

  /** Batches that the follower has. */
  has(number: number): number {
    return Number(this.#brokers.get(followerId)?.get(topic, number)?.log.logEndOffset)
  }

  /** Lets virtual time pass. */
  run(ms: number): Promise<void> {
    return this.clock.drive(this.clock.pause(ms), 1_000_000)
  }

  async change(...records: readonly MetadataRecord[]): Promise<void> {
    for (const record of records) replay(this.image, record)
    for (const broker of this.#brokers.values()) await this.clock.drive(broker.follow(records))
  }

  async #start(nodeId: number): Promise<void> {
    const { clock, image } = this
    const random = this.#random.split()
    const { network } = this.#network.start(addressOf(nodeId).host)
    const fileSystem = new SimulatedDisk(clock, random)
    const configs = new TopicConfigs(image, { nodeId, topicDefaults: new Map() })
    await fileSystem.makeDirectory('/data')
    const directory = await LogDirectory.open({
      ...{ clock, random, logger: silentLogger, fileSystem, journal, path: '/data' },
      openFiles: new OpenFiles(fileSystem, 100),
      configOf: () => configs.of(topic),
      onOffline: (error) => {
        throw error
      },
    })
    const metadata = {
      image,
      incarnationId: `i${nodeId}`,
      membership: {},
      submit: async () => ({ replicas: [] }),
    } as unknown as Parameters<typeof createReplication>[1]
    const replication = createReplication(
      { nodeId, network, clock, logger: silentLogger, lagMsMax: 5_000, peerAddresses: new Map() },
      metadata,
    )
    const partitions = new Partitions({
      ...{ nodeId, image, logger: silentLogger, around: replication.around },
      directories: new Map([[directoryIds[nodeId - 1] as string, directory]]),
      configOf: (name) => configs.of(name),
      isRegistered: () => true,
      isTrusted: () => true,
      onDeleted() {},
    })
    this.#brokers.set(nodeId, partitions)
    replication.serve(partitions)
    await network.listen(addressOf(nodeId), (stream) => replication.accept(stream))
    await partitions.adopt()
    await replication.registered(BigInt(nodeId))
  }
}

type Settings = MetadataRecord[]

function setting(
  type: 'topic' | 'broker',
  resourceName: string,
  name: string,
  value: string | null,
) {
  return { type: 'config', resourceType: resourceTypes[type], resourceName, name, value } as const
}

function replicas(side: Side, value: string | null) {
  return setting('topic', topic, `${side}.replication.throttled.replicas`, value)
}

/** Of all brokers. */
function rateOf(side: Side, value: number | null) {
  const text = value === null ? null : String(value)
  return setting('broker', '', `${side}.replication.throttled.rate`, text)
}

/** What the throttle of a side is told of a partition. */
function named(side: Side, number: number): string {
  return `${number}:${side === 'leader' ? leaderId : followerId}`
}

/** Batches that may have come: what the time gives, what a second may have left, and one that is not whole. */
function most(ms: number, bytesPerSecond = rate): number {
  return Math.ceil(((ms / 1_000 + 1) * bytesPerSecond) / batchBytes) + 1
}

it('nothing is held back without a limit', async () => {
  const world = await World.start()
  await world.run(200)
  expect([world.has(0), world.has(1)]).toEqual([batchCount, batchCount])
})

describe.each<Side>(['leader', 'follower'])('a replica that the %s throttles', (side) => {
  const limits = (...numbers: number[]) => [
    replicas(side, numbers.map((number) => named(side, number)).join(',')),
    rateOf(side, rate),
  ]

  it('comes up at the rate, and others of the same stream at once', async () => {
    const world = await World.start({ settings: limits(0) })
    await world.run(200)
    expect(world.has(1)).toBe(batchCount)
    expect(world.has(0)).toBeLessThanOrEqual(most(200))
    await world.run(8_000)
    expect(world.has(0)).toBeLessThanOrEqual(most(8_200))
    expect(world.has(0)).toBeGreaterThanOrEqual(6)
    await world.write(1)
    await world.run(200)
    expect(world.has(1)).toBe(2 * batchCount)
    expect(world.has(0)).toBeLessThan(batchCount)
    await world.run(14_000)
    expect(world.has(0)).toBe(batchCount)
  })

  it('needs both, the rate and its name in the topic', async () => {
    const other = side === 'leader' ? followerId : leaderId
    const world = await World.start({
      settings: [replicas(side, `0:${other}`), rateOf(side, rate)],
    })
    await world.run(200)
    expect(world.has(0)).toBe(batchCount)
    const unlimited = await World.start({ settings: [replicas(side, '*')] })
    await unlimited.run(200)
    expect(unlimited.has(0)).toBe(batchCount)
  })

  it('shares the rate with others that it throttles, and none of them waits for the rest', async () => {
    const world = await World.start({
      partitions: 4,
      settings: [replicas(side, '*'), rateOf(side, rate)],
    })
    await world.run(20_000)
    const has = [0, 1, 2, 3].map((number) => world.has(number))
    const sum = has.reduce((a, b) => a + b)
    expect(sum).toBeLessThanOrEqual(most(20_000) + 3)
    expect(sum).toBeGreaterThanOrEqual(16)
    expect(Math.min(...has)).toBeGreaterThanOrEqual(2)
  })

  it.each([
    ['a higher rate', rateOf(side, 1e9)],
    ['no rate any more', rateOf(side, null)],
    ['its name taken away', replicas(side, null)],
  ])('comes up at once with %s', async (_, change) => {
    const world = await World.start({ settings: limits(0) })
    await world.run(2_000)
    expect(world.has(0)).toBeLessThan(batchCount / 2)
    await world.change(change)
    await world.run(200)
    expect(world.has(0)).toBe(batchCount)
  })

  it('is held back again when it is named again, and more at a lower rate', async () => {
    const world = await World.start({ settings: limits(0) })
    await world.run(2_000)
    await world.change(replicas(side, null), replicas(side, named(side, 0)))
    await world.run(2_000)
    const before = world.has(0)
    expect(before).toBeLessThanOrEqual(most(4_000))
    await world.change(rateOf(side, rate / 100))
    await world.run(10_000)
    expect(world.has(0) - before).toBeLessThanOrEqual(2)
  })

  it('gets one batch after the other though each is larger than what the rate gives', async () => {
    const world = await World.start({ settings: [replicas(side, '*'), rateOf(side, 1)] })
    await world.run(200)
    const before = world.has(0) + world.has(1)
    expect(before).toBeLessThanOrEqual(1)
    await world.run(60_000)
    const after = world.has(0) + world.has(1)
    expect(after - before).toBeGreaterThanOrEqual(5)
    expect(after - before).toBeLessThanOrEqual(6)
    expect(Math.min(world.has(0), world.has(1))).toBeGreaterThanOrEqual(2)
  })

  it('is not held back while it is in sync', async () => {
    const settings = [replicas(side, '*'), rateOf(side, 1)]
    const world = await World.start({ isr: nodeIds, settings })
    await world.run(200)
    expect([world.has(0), world.has(1)]).toEqual([batchCount, batchCount])
  })
})

it('what comes to a replica in sync is not taken from what others may take in', async () => {
  const world = await World.start({
    settings: [replicas('follower', '*'), rateOf('follower', rate)],
  })
  await world.change({ ...partition(0, nodeIds), partitionEpoch: 1 } as MetadataRecord)
  await world.run(200)
  expect(world.has(0)).toBe(batchCount)
  await world.run(8_000)
  expect(world.has(1)).toBeLessThanOrEqual(most(8_200))
  expect(world.has(1)).toBeGreaterThanOrEqual(6)
})

it('a replica that both sides throttle comes up at the lower rate', async () => {
  const settings = [
    replicas('leader', '*'),
    rateOf('leader', 10 * rate),
    replicas('follower', '*'),
    rateOf('follower', rate),
  ]
  const world = await World.start({ partitions: 1, settings })
  await world.run(8_000)
  expect(world.has(0)).toBeLessThanOrEqual(most(8_000))
  expect(world.has(0)).toBeGreaterThanOrEqual(6)
  await world.run(16_000)
  expect(world.has(0)).toBe(batchCount)
})
