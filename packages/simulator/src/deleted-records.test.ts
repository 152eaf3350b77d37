// What a follower does about records that its leader has deleted (D16): its real shells on a simulated disk. The test plays the leader.
import { silentLogger } from '@naru/base'
import { LogDirectory, OpenFiles } from '@naru/log'
import { emptyImage } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import { assignOffset, encodeBatch } from '@naru/records'
import { type FollowingReplica, RecentBytes } from '@naru/replication'
import { PartitionHost, TopicConfigs } from '@naru/services'
import { expect, it } from 'vitest'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedDisk } from './simulated-disk.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAAA'
const journal = { fileCount: 3, fileBytes: 16 << 10, fileBytesMax: 16 << 10, fileCountMax: 3 }

class World {
  readonly clock = new SimulatedClock()
  readonly disk = new SimulatedDisk(this.clock, new SeededRandom(5))
  host!: PartitionHost
  following!: FollowingReplica
  #lastId = 0

  static async start(): Promise<World> {
    const world = new World()
    await world.clock.drive(world.#start())
    return world
  }

  async #start(): Promise<void> {
    const { clock, disk } = this
    const config = new TopicConfigs(emptyImage(), { nodeId: 1, topicDefaults: new Map() }).of(
      'orders',
    )
    await disk.makeDirectory('/data')
    const directory = await LogDirectory.open({
      ...{ clock, random: new SeededRandom(6), logger: silentLogger, fileSystem: disk },
      ...{ path: '/data', openFiles: new OpenFiles(disk, 100), journal, configOf: () => config },
      onOffline: (error) => {
        throw error
      },
    })
    const made = { name: 'orders-0', topicId, firstOffset: 0n, flushMode: 'ack', config } as const
    const log = await directory.createLog(made)
    const around = {
      ...{ nodeId: 1, clock, logger: silentLogger, lagMsMax: 5_000 },
      brokers: { epochOf: () => 1n, isActive: () => true },
      recentBytes: new RecentBytes(),
      follow: (replica: FollowingReplica) => {
        this.following = replica
      },
      ...{
        unfollow() {},
        onLeading() {},
        onProposalDue() {},
        onBrokerSettings() {},
        onDamaged() {},
      },
    }
    const named = { topic: 'orders', topicId, partition: 0 }
    this.host = new PartitionHost({ ...named, log, directory, config, around })
    this.host.assume({
      ...{ leader: 2, leaderEpoch: 4, replicas: [1, 2], isr: [2], partitionEpoch: 0 },
      ...{ minIsr: 1, isFlushed: true, isRecovering: false },
    })
    await this.host.open()
    this.following.attach({
      acknowledge() {},
      subscribe: () => this.subscribe(),
      subscribeLater() {},
      throttleChanged() {},
    })
    this.subscribe()
  }

  subscribe(): void {
    this.following.subscribe(++this.#lastId)
  }

  accept(logStartOffset: bigint, highWatermark: bigint): void {
    this.following.accepted({ id: this.#lastId, logStartOffset, highWatermark })
  }

  refuse(logStartOffset: bigint): void {
    const { code: errorCode } = kafkaErrors.OFFSET_OUT_OF_RANGE
    this.following.refused({ id: this.#lastId, errorCode, logStartOffset })
  }

  send(records: Buffer, logStartOffset: bigint, highWatermark: bigint): void {
    this.following.received({ id: this.#lastId, logStartOffset, highWatermark, records })
  }

  async until(condition: () => boolean): Promise<void> {
    for (let steps = 0; steps < 1_000 && !condition(); steps++) await this.clock.step()
    expect(condition()).toBe(true)
  }
}

function batch(baseOffset: bigint, count: number): Buffer {
  const record = { key: null, value: null, headers: [], timestamp: 0n }
  const bytes = encodeBatch(Array.from({ length: count }, () => record))
  assignOffset(bytes, 0, { baseOffset, leaderEpoch: 4 })
  return bytes
}

it('begins anew with the batch within which the leader begins (KAFKA-6975)', async () => {
  const world = await World.start()
  const { log } = world.host
  world.refuse(11n)
  await world.until(() => world.following.changing === undefined && log.logEndOffset === 11n)
  world.accept(11n, 13n)
  world.send(batch(10n, 3), 11n, 13n)
  await world.until(() => log.confirmedOffset === 13n)
  world.accept(11n, 13n)
  await world.until(() => log.logStartOffset === 11n)
  expect(log.segments[0]?.baseOffset).toBe(10n)
})

it('keeps the end of its log where that is the start of its leader: a crash may come at any moment', async () => {
  const world = await World.start()
  const { log, directory } = world.host
  world.accept(0n, 0n)
  world.send(batch(0n, 4), 0n, 0n)
  await world.until(() => log.confirmedOffset === 4n)
  const restarts: bigint[] = []
  directory.restartAt = async (_, startOffset) => void restarts.push(startOffset)
  world.subscribe()
  world.refuse(4n)
  await world.until(() => log.logStartOffset === 4n && world.following.changing === undefined)
  expect(restarts).toEqual([])
  // Nothing is left that the leader could compare.
  expect(world.following.subscribe(9)).toMatchObject({ logEndOffset: 4n, lastEpoch: -1 })
})

it('cuts what goes beyond the start of its leader, and shows nothing of what is below', async () => {
  const world = await World.start()
  const { host } = world
  world.accept(0n, 0n)
  world.send(Buffer.concat([batch(0n, 4), batch(4n, 2)]), 0n, 0n)
  await world.until(() => host.log.confirmedOffset === 6n)
  world.subscribe()
  world.refuse(4n)
  const seen = () => world.following.readableEnd
  await world.until(() => {
    expect([undefined, 4n]).toContain(seen())
    return seen() !== undefined
  })
  expect(host.log).toMatchObject({ logStartOffset: 4n, logEndOffset: 4n })
})

it('follows a start that moves while the disk is at work on the one before', async () => {
  const world = await World.start()
  const { log } = world.host
  world.accept(0n, 0n)
  world.send(Buffer.concat([batch(0n, 2), batch(2n, 2)]), 0n, 4n)
  await world.until(() => log.confirmedOffset === 4n)
  world.send(Buffer.alloc(0), 2n, 4n)
  world.send(Buffer.alloc(0), 3n, 4n)
  await world.until(() => log.logStartOffset === 3n)
})
