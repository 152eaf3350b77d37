// What a replica gives to readers that know of followers (KIP-392): its real shells on a simulated disk. The test plays the leader.
import { silentLogger } from '@naru/base'
import { LogDirectory, OpenFiles } from '@naru/log'
import { emptyImage } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import { assignOffset, encodeBatch } from '@naru/records'
import { type FollowingReplica, RecentBytes } from '@naru/replication'
import { type FetchRequest, fetch, PartitionHost, TopicConfigs } from '@naru/services'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedDisk } from './simulated-disk.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAAA'
const journal = { fileCount: 3, fileBytes: 16 << 10, fileBytesMax: 16 << 10, fileCountMax: 3 }
const waitMs = 10_000
const { FENCED_LEADER_EPOCH, NONE, NOT_LEADER_OR_FOLLOWER, OFFSET_NOT_AVAILABLE } = kafkaErrors

/** Broker 2 leads in epoch 4. */
const assignment = {
  ...{ leader: 2, leaderEpoch: 4, replicas: [1, 2], isr: [1, 2], partitionEpoch: 0 },
  ...{ minIsr: 1, isFlushed: true, isRecovering: false },
}
const nobodyNearer = { nearest: () => undefined }

class World {
  readonly clock = new SimulatedClock()
  readonly disk = new SimulatedDisk(this.clock, new SeededRandom(5))
  host!: PartitionHost
  following!: FollowingReplica

  static async start(changes: Partial<typeof assignment> = {}): Promise<World> {
    const world = new World()
    await world.clock.drive(world.#start({ ...assignment, ...changes }))
    return world
  }

  async #start(as: typeof assignment): Promise<void> {
    const { clock, disk } = this
    const config = new TopicConfigs(emptyImage(), { nodeId: 1, topicDefaults: new Map() }).of(
      'orders',
    )
    await disk.makeDirectory('/data')
    await disk.syncDirectory('/')
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
      recentBytes: new RecentBytes(),
      brokers: { epochOf: () => 1n, isActive: () => true },
      follow: (replica: FollowingReplica) => {
        this.following = replica
      },
      unfollow() {},
      onLeading() {},
      onProposalDue() {},
      onDamaged() {},
      onBrokerSettings() {},
    }
    const named = { topic: 'orders', topicId, partition: 0 }
    this.host = new PartitionHost({ ...named, log, directory, config, around })
    this.host.assume(as)
    await this.host.open()
    this.following?.attach({
      acknowledge() {},
      subscribe() {},
      subscribeLater() {},
      throttleChanged() {},
    })
  }

  /** The leader takes the log for a part of its own. */
  accept(): void {
    this.following.subscribe(1)
    this.following.accepted({ id: 1, logStartOffset: 0n, highWatermark: 0n })
  }

  /** The leader sends so many records, one in a batch, and how far it has committed. */
  send(count: number, highWatermark: bigint): void {
    const { logEndOffset } = this.host.log
    const batches = Array.from({ length: count }, (_, index) => {
      const bytes = encodeBatch([{ key: null, value: null, headers: [], timestamp: 0n }])
      const place = { baseOffset: logEndOffset + BigInt(index), leaderEpoch: 4 }
      assignOffset(bytes, 0, place)
      return bytes
    })
    const records = Buffer.concat(batches)
    this.following.received({ id: 1, logStartOffset: 0n, highWatermark, records })
  }

  /** Everything that was sent is on the disk. */
  async written(): Promise<void> {
    const { log } = this.host
    for (let steps = 0; steps < 1_000 && log.confirmedOffset < log.logEndOffset; steps++) {
      await this.clock.step()
    }
    expect(log.confirmedOffset).toBe(log.logEndOffset)
  }

  read(fetchOffset: bigint, changes: Partial<FetchRequest> = {}, currentLeaderEpoch = -1) {
    const position = { fetchOffset, currentLeaderEpoch, lastFetchedEpoch: -1 }
    return fetch(this.clock, {
      partitions: [{ host: this.host, maxBytes: 1 << 20, ...position }],
      ...{ maxWaitMs: waitMs, minBytes: 1, maxBytes: 1 << 20, isReadCommitted: false },
      followers: nobodyNearer,
      onClose: () => {},
      ...changes,
    })
  }

  /** The answer, and whether it came before its time was over. */
  async answer(reading: ReturnType<World['read']>) {
    const startMs = this.clock.monotonic()
    const [result] = await this.clock.drive(reading)
    const { error, highWatermark, records, preferredReplica } = result as NonNullable<typeof result>
    const isEarly = this.clock.monotonic() - startMs < waitMs / 2
    return { error, highWatermark, hasRecords: records.length > 0, preferredReplica, isEarly }
  }
}

describe('a follower', () => {
  it('gives what is committed as soon as it hears of that', async () => {
    const world = await World.start()
    world.accept()
    world.send(2, 0n)
    await world.written()
    const reading = world.read(0n)
    await world.clock.settle()
    world.send(0, 2n)
    const answer = await world.answer(reading)
    expect(answer).toMatchObject({ highWatermark: 2n, hasRecords: true, isEarly: true })
  })

  it('shows what it has written, though more is committed', async () => {
    const world = await World.start()
    world.accept()
    world.send(1, 1n)
    expect(world.host.readable({ ofFollowers: true })).toMatchObject({ highWatermark: 0n })
    const answer = await world.answer(world.read(0n))
    expect(answer).toMatchObject({ highWatermark: 1n, hasRecords: true, isEarly: true })
  })

  it('has a reader wait that is ahead of it, and then says so', async () => {
    const world = await World.start()
    world.accept()
    world.send(2, 0n)
    await world.written()
    const late = { error: OFFSET_NOT_AVAILABLE, hasRecords: false, isEarly: false }
    expect(await world.answer(world.read(1n))).toMatchObject(late)
    const reading = world.read(1n)
    await world.clock.settle()
    world.send(0, 2n)
    const answer = await world.answer(reading)
    expect(answer).toMatchObject({ error: NONE, hasRecords: true, isEarly: true })
  })

  it('shows nothing after an unclean election before its leader has the same log', async () => {
    const world = await World.start()
    world.accept()
    world.send(2, 2n)
    await world.written()
    world.host.assume({ ...assignment, leaderEpoch: 5, isRecovering: true })
    await world.clock.settle()
    const reading = world.read(0n)
    await world.clock.settle()
    expect(world.host.readable({ ofFollowers: true })).toMatchObject({ highWatermark: 0n })
    world.accept()
    const answer = await world.answer(reading)
    expect(answer).toMatchObject({ highWatermark: 2n, hasRecords: true, isEarly: true })
  })

  it('shows nothing while its log is begun anew: what it holds may have been committed by nobody', async () => {
    const world = await World.start()
    world.accept()
    world.send(2, 0n)
    await world.written()
    const { code: errorCode } = kafkaErrors.OFFSET_OUT_OF_RANGE
    world.following.refused({ id: 1, errorCode, logStartOffset: 100n })
    const readable = () => world.host.readable({ ofFollowers: true })
    expect(readable()).toMatchObject({ highWatermark: 0n, isSettled: false })
    await world.clock.drive(world.following.changing ?? Promise.resolve())
    expect(readable()).toMatchObject({ logStartOffset: 100n, highWatermark: 100n })
  })

  it.each([
    ['nobody leads', { leader: -1 }, NOT_LEADER_OR_FOLLOWER],
    ['another leads', { leader: 3 }, FENCED_LEADER_EPOCH],
    ['it leads itself', { leader: 1 }, FENCED_LEADER_EPOCH],
  ])('lets no reader wait when %s', async (_, changes, error) => {
    const world = await World.start()
    world.accept()
    const reading = world.read(0n, {}, 4)
    await world.clock.settle()
    world.host.assume({ ...assignment, ...changes, leaderEpoch: 5 })
    expect(await world.answer(reading)).toMatchObject({ error, isEarly: true })
  })

  it('gives nothing to clients that read from leaders only', async () => {
    const world = await World.start()
    world.accept()
    const answer = await world.answer(world.read(0n, { followers: undefined }))
    expect(answer).toMatchObject({ error: NOT_LEADER_OR_FOLLOWER, isEarly: true })
  })
})

it('a leader sends a reader away at once, and without records', async () => {
  const world = await World.start({ leader: 1 })
  const away = { followers: { nearest: () => 2 } }
  const sent = { error: NONE, preferredReplica: 2, hasRecords: false, isEarly: true }
  expect(await world.answer(world.read(0n, away))).toMatchObject(sent)
  const fenced = await world.answer(world.read(0n, away, 3))
  expect(fenced).toMatchObject({ error: FENCED_LEADER_EPOCH, preferredReplica: undefined })
})
