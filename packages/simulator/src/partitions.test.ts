// What a broker makes of the logs that it finds, on a simulated disk.
import { silentLogger } from '@naru/base'
import { LogDirectory, OpenFiles } from '@naru/log'
import { configKey, emptyImage, type MetadataImage, replay, resourceTypes } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import { encodeBatch } from '@naru/records'
import { RecentBytes } from '@naru/replication'
import { type PartitionHost, Partitions, TopicConfigs } from '@naru/services'
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
  isReported = true
  /** How often followers that came too early were to be heard again. */
  leadings = 0
  readonly damaged: PartitionHost[] = []
  following = 0
  /** Whether the other brokers may be in sync. */
  isActive = true
  proposals = 0
  directory!: LogDirectory

  /** A start of the part of a broker that holds partitions. */
  async start(topicDefaults = new Map<string, string>()): Promise<Partitions> {
    const configs = new TopicConfigs(this.image, { nodeId: 1, topicDefaults })
    const partitions = this.#start(configs)
    return this.clock.drive(partitions)
  }

  /** One that is going to be interrupted. */
  beginStart(): void {
    void this.#start(new TopicConfigs(this.image, { nodeId: 1, topicDefaults: new Map() }))
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
        brokers: { epochOf: () => 1n, isActive: () => this.isActive },
        lagMsMax: 5_000,
        recentBytes: new RecentBytes(),
        follow: () => {
          this.following++
        },
        unfollow: () => {
          this.following--
        },
        onLeading: () => {
          this.leadings++
        },
        onProposalDue: () => {
          this.proposals++
        },
        onDamaged: (host) => this.damaged.push(host),
        onBrokerSettings() {},
      },
      configOf: (topic) => configs.of(topic),
      isRegistered: () => this.isRegistered,
      isTrusted: () => this.isTrusted,
      onDeleted() {},
    })
    await partitions.adopt()
    if (this.isReported) await partitions.makeAbsent()
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

describe('a replica that is removed while its log is loaded', () => {
  it('does not lead after that', async () => {
    const world = new World()
    const partitions = await world.start()
    const host = partitions.get('orders', 0) as PartitionHost
    const opened = host.open()
    const record = { type: 'removeTopic', topicId, holders: [1] } as const
    replay(world.image, record)
    await world.clock.drive(partitions.follow([record]))
    await world.clock.drive(opened.catch(() => {}))
    expect(partitions.get('orders', 0)).toBeUndefined()
    expect(host.leading).toBeUndefined()
  })

  it('does not follow after that', async () => {
    const world = new World()
    const partitions = await world.start()
    const host = partitions.get('orders', 0) as PartitionHost
    const [known] = world.image.topics.get('orders')?.partitions ?? []
    if (known === undefined) throw new Error('There is one')
    const record = { ...known, type: 'partition', leader: 2, leaderEpoch: 1 } as const
    host.assume({ ...known, replicas: [2, 1], leader: 2, leaderEpoch: 1 })
    const opened = host.open()
    const moved = { ...record, replicas: [2], isr: [2], removedReplicas: [1] }
    replay(world.image, moved)
    await world.clock.drive(partitions.follow([moved]))
    await world.clock.drive(opened.catch(() => {}))
    expect(partitions.get('orders', 0)).toBeUndefined()
    expect(world.following).toBe(0)
  })
})

it('tells of no deletion that a crash would undo, also when another epoch began it', async () => {
  const world = new World()
  const partitions = await world.start()
  const host = partitions.get('orders', 0) as PartitionHost
  const [known] = world.image.topics.get('orders')?.partitions ?? []
  if (known === undefined) throw new Error('There is one')
  await world.clock.drive(host.open())
  const bytes = encodeBatch([{ key: null, value: Buffer.alloc(9), headers: [], timestamp: 0n }])
  host.append(bytes, { produceVersion: 9, acks: 1 })
  while (host.leading?.core.highWatermark !== 1n) await world.clock.step()
  world.disk.delay = (operation, path) =>
    operation === 'rename' && path.endsWith('naru-checkpoint.tmp') ? 500 : 0
  void host.deleteRecords(1n)
  while (host.log.logStartOffset === 0n) await world.clock.step()
  host.assume({ ...known, leaderEpoch: 1, partitionEpoch: 1 })
  expect(await world.clock.drive(host.deleteRecords(0n))).toBe(1n)
  world.disk.crash()
  expect((await world.start()).get('orders', 0)?.log.logStartOffset).toBe(1n)
})

it('knows no producer as of before what is deleted, when it has not written down more', async () => {
  const world = new World()
  const small = new Map([['segment.bytes', '200']])
  const host = (await world.start(small)).get('orders', 0) as PartitionHost
  await world.clock.drive(host.open())
  for (let sequence = 0; sequence < 6; sequence++) {
    const records = [{ key: null, value: Buffer.alloc(90), headers: [], timestamp: 0n }]
    const producer = { producerId: 7n, producerEpoch: 0, baseSequence: sequence }
    host.append(encodeBatch(records, producer), { produceVersion: 9, acks: -1 })
    while (host.leading?.core.highWatermark !== BigInt(sequence + 1)) await world.clock.step()
  }
  const pause = () => new Promise<void>((resolve) => world.clock.setTimer(2_500, resolve))
  await world.clock.drive(pause())
  const snapshots = () => world.disk.paths().filter((path) => path.endsWith('.snapshot'))
  const [oldest] = snapshots().sort()
  if (oldest === undefined) throw new Error('Each segment begins with one')
  const old = await world.clock.drive(world.disk.readFile(oldest))
  await world.clock.drive(host.deleteRecords(6n))
  await world.clock.drive(pause())
  world.disk.crash()
  // As the power may leave them: a name that came back, another that was not durable yet.
  for (const path of snapshots()) await world.clock.drive(world.disk.remove(path))
  const file = await world.clock.drive(world.disk.open(oldest, 'write'))
  await world.clock.drive(file.write([old], 0))
  const next = (await world.start(small)).get('orders', 0) as PartitionHost
  expect(Number(next.log.segments[0]?.baseOffset)).toBeGreaterThan(Number(oldest.slice(-29, -9)))
  const producers = await world.clock.drive(next.producers())
  const known = [...producers.entries()].flatMap(({ batches }) => batches)
  expect(known.map(({ lastSequence }) => lastSequence)).not.toContain(0)
})

describe('a log that is not there', () => {
  it('is not made before it is known that it is missing', async () => {
    const world = new World()
    world.isReported = false
    const partitions = await world.start()
    expect([...partitions.absent()]).toEqual([{ topicId, partition: 0, lost: 'unknown' }])
    await world.clock.drive(partitions.followAll())
    expect(partitions.get('orders', 0)).toBeUndefined()
    await world.clock.drive(partitions.makeAbsent())
    expect(partitions.get('orders', 0)?.log.logEndOffset).toBe(0n)
    expect([...partitions.absent()]).toEqual([])
  })

  it('is lost when the process before had it', async () => {
    const world = new World()
    await world.start()
    await world.clock.drive(world.directory.close())
    world.disk.lose('/data/orders-0')
    world.isReported = false
    const partitions = await world.start()
    expect([...partitions.absent()]).toEqual([{ topicId, partition: 0, lost: 'everything' }])
  })

  it.each([
    ['delete', 0],
    ['delete', 70_000],
    ['stray', 0],
  ] as const)('is not missed when it was put aside (%s, after %i ms)', async (suffix, ms) => {
    const world = new World()
    await world.start()
    const config = new TopicConfigs(world.image, { nodeId: 1, topicDefaults: new Map() }).of(
      'orders',
    )
    const request = { name: 'b-0', topicId, firstOffset: 0n, flushMode: 'ack', config } as const
    const log = await world.clock.drive(world.directory.createLog(request))
    await world.clock.drive(world.directory.checkpoint())
    await world.clock.drive(world.directory.deleteLog(log, { suffix }))
    await world.clock.drive(new Promise<void>((resolve) => world.clock.setTimer(ms, resolve)))
    await world.clock.settle()
    world.disk.crash()
    await world.start()
    expect(world.directory.start).toMatchObject({ kind: 'crash', lacksLogs: false })
  })

  it('is not missed when a start that removes it is interrupted at any step', async () => {
    for (let steps = 1; steps <= 60; steps++) {
      const world = new World()
      await world.start()
      await world.clock.drive(world.directory.checkpoint())
      const log = world.directory.logs.get('orders-0')
      if (log === undefined) throw new Error('There is one')
      await world.clock.drive(world.directory.deleteLog(log))
      world.disk.crash()
      world.beginStart()
      await world.clock.settle()
      for (let step = 0; step < steps; step++) await world.clock.step()
      world.disk.crash()
      await world.start()
      expect(world.directory.start.lacksLogs, `after ${steps} steps`).toBe(false)
    }
  })

  it('is nothing to report of a start that finds it', async () => {
    const world = new World()
    await world.start()
    world.disk.crash()
    world.isReported = false
    expect([...(await world.start()).absent()]).toEqual([])
  })
})

describe('a replica that was found damaged', () => {
  /** A segment that does not hold what the start relies on. */
  async function damagedWorld() {
    const world = new World()
    const partitions = await world.start()
    const host = partitions.get('orders', 0) as PartitionHost
    await world.clock.drive(host.open())
    const bytes = encodeBatch([{ key: null, value: Buffer.alloc(9), headers: [], timestamp: 0n }])
    host.append(bytes, { produceVersion: 9, acks: 1 })
    while (host.log.confirmedOffset === 0n) await world.clock.step()
    world.disk.file('/data/orders-0/00000000000000000000.log')?.flip(70)
    const read = () =>
      host.log.read({ offset: 0n, maxBytes: 1, upTo: 9n, atLeastOne: true, isChecked: true })
    await expect(world.clock.drive(read())).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
    return { world, partitions, host }
  }

  const code = (host: PartitionHost) => host.failureOf(host.log.corruption).name

  it('begins anew, empty, and its log is put aside', async () => {
    const { world, partitions, host } = await damagedWorld()
    expect(world.damaged).toEqual([host])
    host.withdraw()
    await world.clock.drive(partitions.renew(host))
    const next = partitions.get('orders', 0) as PartitionHost
    expect(next).not.toBe(host)
    expect(next.log).toMatchObject({ logEndOffset: 0n, corruption: undefined })
    const aside = await world.clock.drive(world.disk.list('/data'))
    expect(aside.filter((name) => name.endsWith('-damaged'))).toHaveLength(1)
    // It is no log any more, and no start takes it for one.
    await world.clock.drive(world.directory.close())
    await world.start()
    expect([...world.directory.logs.keys()]).toEqual(['orders-0'])
    expect(await world.clock.drive(world.disk.list('/data'))).toEqual(
      expect.arrayContaining(aside.filter((name) => name.endsWith('-damaged'))),
    )
  })

  it('takes no other role until it is known what becomes of it', async () => {
    const { world, host } = await damagedWorld()
    const [known] = world.image.topics.get('orders')?.partitions ?? []
    const next = { ...(known as NonNullable<typeof known>), leaderEpoch: 1, partitionEpoch: 1 }
    host.withdraw()
    expect(host.leading).toBeDefined()
    expect(code(host)).toBe('KAFKA_STORAGE_ERROR')
    host.assume(next)
    expect(host.leading).toBeUndefined()
    host.keep()
    expect(host.leading?.core.leaderEpoch).toBe(1)
    expect(code(host)).toBe('CORRUPT_MESSAGE')
  })

  it('is reported again when it is not the only one any more', async () => {
    const { world, host } = await damagedWorld()
    const [known] = world.image.topics.get('orders')?.partitions ?? []
    host.withdraw()
    host.keep()
    const others = { replicas: [1, 2], isr: [1, 2], partitionEpoch: 1 }
    host.assume({ ...(known as NonNullable<typeof known>), ...others })
    expect(world.damaged).toHaveLength(2)
  })
})

it('keeps the newest four damaged logs, under names that a file system takes', async () => {
  const world = new World()
  await world.start()
  const name = `${'long'.repeat(62)}x-0`
  const config = new TopicConfigs(world.image, { nodeId: 1, topicDefaults: new Map() }).of('orders')
  const request = { name, topicId, firstOffset: 0n, flushMode: 'ack', config } as const
  for (let i = 0; i < 6; i++) {
    const log = await world.clock.drive(world.directory.createLog(request))
    world.clock.setTimer(10, () => {})
    await world.clock.drive(world.directory.deleteLog(log, { suffix: 'damaged' }))
  }
  const aside = await world.clock.drive(world.disk.list('/data'))
  const damaged = aside.filter((each) => each.endsWith('-damaged'))
  expect(damaged).toHaveLength(4)
  expect(damaged.every((each) => each.length <= 255)).toBe(true)
})

it('has a follower in sync whose broker came back in a snapshot of the metadata', async () => {
  const world = new World()
  const partitions = await world.start()
  const host = partitions.get('orders', 0)
  const state = world.image.topics.get('orders')?.partitions[0]
  if (host === undefined || state === undefined) throw new Error('There is one')
  Object.assign(state, { replicas: [1, 2], directories: [directoryId, directoryId] })
  host.assume(state)
  await world.clock.drive(host.open())
  world.isActive = false
  const subscription = {
    ...{ id: 1, topicId, partition: 0, leaderEpoch: 0, nodeId: 2, brokerEpoch: 1n },
    ...{ logEndOffset: 0n, flushedOffset: 0n, lastEpoch: -1, logStartOffset: 0n },
  }
  expect(host.leading?.subscribe(subscription)).toMatchObject({ kind: 'accepted' })
  expect(world.proposals).toBe(0)
  world.isActive = true
  await world.clock.drive(partitions.followAll())
  expect(world.proposals).toBeGreaterThan(0)
})
