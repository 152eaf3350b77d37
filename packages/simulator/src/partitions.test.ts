// What a broker makes of the logs that it finds, on a simulated disk.
import { silentLogger } from '@naru/base'
import { LogDirectory, OpenFiles } from '@naru/log'
import { configKey, emptyImage, type MetadataImage, replay, resourceTypes } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import { RecentBytes } from '@naru/replication'
import { Partitions, TopicConfigs } from '@naru/services'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedDisk } from './simulated-disk.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAAA'
const directoryId = 'BBBBBBBBBBBBBBBBBBBBBA'
const journal = { fileCount: 3, fileBytes: 16 << 10, fileBytesMax: 16 << 10, fileCountMax: 3 }

function imageOfOneTopic(): MetadataImage {
  const image = emptyImage()
  replay(image, { type: 'topic', topicId, name: 'orders' })
  replay(image, {
    type: 'partition',
    topicId,
    partition: 0,
    replicas: [1],
    directories: [directoryId],
    isr: [1],
    leader: 1,
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
  })
  return image
}

class World {
  readonly clock = new SimulatedClock()
  readonly random = new SeededRandom(5)
  readonly disk = new SimulatedDisk(this.clock, this.random.split())
  readonly image = imageOfOneTopic()
  isRegistered = true
  isTrusted = true
  /** How often followers that came too early were to be heard again. */
  leadings = 0
  directory!: LogDirectory

  /** A start of the part of a broker that holds partitions. */
  async start(topicDefaults = new Map<string, string>()): Promise<Partitions> {
    const configs = new TopicConfigs(this.image, { nodeId: 1, topicDefaults })
    const partitions = this.#start(configs)
    return this.clock.drive(partitions)
  }

  async #start(configs: TopicConfigs): Promise<Partitions> {
    const { clock, random, disk, image } = this
    const shared = { clock, random, logger: silentLogger, fileSystem: disk }
    await disk.makeDirectory('/data')
    await disk.syncDirectory('/')
    this.directory = await LogDirectory.open({
      ...shared,
      path: '/data',
      openFiles: new OpenFiles(disk, 100),
      journal,
      configOf: () => configs.of('orders'),
      onOffline: (error) => {
        throw error
      },
    })
    const partitions = new Partitions({
      nodeId: 1,
      image,
      directories: new Map([[directoryId, this.directory]]),
      logger: silentLogger,
      around: {
        nodeId: 1,
        clock,
        logger: silentLogger,
        brokers: { epochOf: () => 1n, isActive: () => true },
        lagMsMax: 5_000,
        recentBytes: new RecentBytes(),
        follow() {},
        unfollow() {},
        onLeading: () => {
          this.leadings++
        },
        onProposalDue() {},
        onDamaged() {},
        onBrokerSettings() {},
      },
      configOf: (topic) => configs.of(topic),
      isRegistered: () => this.isRegistered,
      isTrusted: () => this.isTrusted,
      onDeleted() {},
    })
    await partitions.adopt()
    await partitions.makeAbsent()
    return partitions
  }
}

describe('the flush mode of a log that is found', () => {
  it("is the topic's, also when the process died between its change and what that changes here", async () => {
    const world = new World()
    const before = await world.start(new Map([['naru.flush', 'never']]))
    expect(before.get('orders', 0)?.log.flushMode).toBe('never')
    world.disk.crash()
    const key = configKey(resourceTypes.topic, 'orders')
    world.image.configs.set(key, new Map([['naru.flush', 'ack']]))
    const after = await world.start(new Map([['naru.flush', 'never']]))
    expect(after.get('orders', 0)?.log.flushMode).toBe('ack')
  })

  it('follows the configuration of the broker over a clean stop, and is remembered', async () => {
    const world = new World()
    await world.start(new Map([['naru.flush', 'never']]))
    await world.clock.drive(world.directory.close())
    await world.start()
    expect(world.directory.logs.get('orders-0')?.flushMode).toBe('ack')
    world.disk.losePower()
    await world.start()
    expect(world.directory.logs.get('orders-0')?.flushMode).toBe('ack')
  })
})

it('a log without a valid identity takes its partition offline instead of an empty log in its place', async () => {
  const world = new World()
  await world.start()
  await world.clock.drive(world.directory.close())
  world.disk.file('/data/orders-0/partition.metadata')?.flip(50)
  const segment = '/data/orders-0/00000000000000000000.log'
  const file = await world.clock.drive(world.disk.open(segment, 'write'))
  await world.clock.drive(file.close())
  const partitions = await world.start()
  expect(partitions.get('orders', 0)).toBeUndefined()
  expect(world.disk.file(segment)).toBeDefined()
})

describe('which partition a request gets', () => {
  it('one that this broker leads by the metadata; alone only while it is trusted', async () => {
    const world = new World()
    const partitions = await world.start()
    const host = partitions.get('orders', 0)
    expect(partitions.leading('orders', 0)).toBe(host)
    expect(partitions.leadingAlone('orders', 0)).toBe(host)
    world.isTrusted = false
    expect(partitions.leading('orders', 0)).toBe(host)
    expect(partitions.leadingAlone('orders', 0)).toBe(kafkaErrors.NOT_LEADER_OR_FOLLOWER)
    expect(partitions.leading('orders', 1)).toBe(kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
  })

  it('none of a deleted topic while another one of that name is being made', async () => {
    const world = new World()
    const partitions = await world.start()
    await world.clock.drive(Promise.resolve(partitions.get('orders', 0)?.open()))
    expect(partitions.leadingReplica(topicId, 0)).toBeDefined()
    const topic = world.image.topics.get('orders')
    const [first] = topic?.partitions ?? []
    if (topic === undefined || first === undefined) throw new Error('There is one')
    const other = { ...topic, topicId: 'CCCCCCCCCCCCCCCCCCCCCA' }
    const { topicId: otherId } = other
    world.image.topics.set('orders', { ...other, partitions: [{ ...first, topicId: otherId }] })
    world.image.topicsById.set(otherId, other)
    expect(partitions.leading('orders', 0)).toBe(kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
    expect(partitions.leadingReplica(otherId, 0)).toBeUndefined()
  })

  it('none before the metadata knows this process: the one before led', async () => {
    const world = new World()
    world.isRegistered = false
    const partitions = await world.start()
    expect(partitions.leading('orders', 0)).toBe(kafkaErrors.NOT_LEADER_OR_FOLLOWER)
    await world.clock.drive(Promise.resolve(partitions.get('orders', 0)?.open()))
    expect(partitions.leadingReplica(topicId, 0)).toBeUndefined()
  })

  it('none that another broker, or nobody, leads', async () => {
    const world = new World()
    const partitions = await world.start()
    const topic = world.image.topics.get('orders')
    const led = topic?.partitions[0]
    if (topic === undefined || led === undefined) throw new Error('There is one')
    for (const leader of [-1, 2]) {
      topic.partitions[0] = { ...led, leader, leaderEpoch: led.leaderEpoch + 1 }
      expect(partitions.leading('orders', 0)).toBe(kafkaErrors.NOT_LEADER_OR_FOLLOWER)
    }
  })
})

it('hears followers again when it leads for others than before', async () => {
  const world = new World()
  const partitions = await world.start()
  const host = partitions.get('orders', 0)
  const state = world.image.topics.get('orders')?.partitions[0]
  if (host === undefined || state === undefined) throw new Error('There is one')
  await world.clock.drive(host.open())
  const before = world.leadings
  host.assume({ ...state, replicas: [1, 2], partitionEpoch: state.partitionEpoch + 1 })
  expect(world.leadings).toBe(before + 1)
})
