// The controller with more to change than goes into one batch.
import {
  type Command,
  decodeMetadataRecords,
  defaultTiming,
  type LogEnds,
  type PartitionImage,
  replay,
  supportedFeatures,
} from '@naru/metadata'
import { expect, it } from 'vitest'
import { ActiveController } from '../../consensus/src/active-controller.ts'
import { idOf, TestCluster } from '../../metadata/src/testing/cluster.ts'
import { SimulatedClock } from './simulated-clock.ts'

const changesPerBatch = 2
const partitions = 5

/** A log that takes and commits everything at once, a controller on it, and brokers with a topic. */
class World {
  readonly clock = new SimulatedClock()
  readonly cluster = new TestCluster(1, 2, 3)
  /** Of the batches that were proposed. */
  readonly types: string[][] = []
  onBatch: () => void = () => {}
  logEnds: LogEnds | undefined

  constructor() {
    const assignments = Array.from({ length: partitions }, (_, partition) => {
      return { partition, replicas: [1, 2] }
    })
    const topic = { name: 'orders', partitions: -1, replicationFactor: -1, assignments }
    this.cluster.accepted({
      type: 'createTopic',
      topic: { ...topic, configs: [] },
      topicId: idOf(1),
      validateOnly: false,
    })
    this.cluster.settings = { ...this.cluster.settings, changesPerBatch }
  }

  get partitions() {
    return this.cluster.image.topics.get('orders')?.partitions ?? []
  }

  controller(): ActiveController {
    const { clock, cluster, types } = this
    const node = {
      get nextIndex() {
        return cluster.index + 1n
      },
      readBarrier: async () => cluster.index,
      propose: (payload: Buffer) => {
        const records = decodeMetadataRecords(payload)
        for (const record of records) replay(cluster.image, record)
        types.push(records.map(({ type }) => type))
        cluster.index++
        this.onBatch()
        return { index: cluster.index, applied: Promise.resolve() }
      },
    }
    return new ActiveController({
      nodeId: 3,
      incarnationId: '',
      node,
      image: cluster.image,
      clock,
      settings: cluster.settings,
      features: supportedFeatures,
      rebalanceMs: undefined,
      logEnds: this.logEnds,
      firstRecords: () => [],
      onReady() {},
      sessions: {
        timing: defaultTiming,
        post() {},
        enclose() {},
        answerHere() {},
        probe: async () => 'lost' as const,
      },
    })
  }

  fence(nodeId: number): Command {
    return { type: 'fenceBroker', ...this.cluster.key(nodeId), cause: 'test' }
  }
}

it('takes a broker out of its partitions first, a batch in each turn, and fences it last', async () => {
  const world = new World()
  const controller = world.controller()
  const { index } = await world.clock.drive(controller.submit(world.fence(1)))
  expect(world.types).toEqual([
    ['change', 'partitionStates'],
    ['change', 'partitionStates'],
    ['change', 'brokerState', 'partitionStates'],
  ])
  expect(index).toBe(world.cluster.index)
  expect(world.partitions.map(({ leader }) => leader)).toEqual([2, 2, 2, 2, 2])
  controller.stop()
})

it('lets others have a word between the batches', async () => {
  const world = new World()
  const controller = world.controller()
  await world.clock.drive(controller.readIndex())
  const fenced = controller.submit(world.fence(1))
  const ids = controller.submit({ type: 'allocateProducerIds' })
  await world.clock.drive(Promise.all([fenced, ids]))
  expect(world.types[1]).toEqual(['change', 'producerIds'])
  controller.stop()
})

it('takes one broker after the other, though they would hand everything to each other', async () => {
  const world = new World()
  const controller = world.controller()
  const fences = [1, 2].map((nodeId) => controller.submit(world.fence(nodeId)))
  await world.clock.drive(Promise.all(fences))
  expect(world.partitions.map(({ leader, leaderEpoch }) => [leader, leaderEpoch])).toEqual(
    Array(partitions).fill([-1, 2]),
  )
  controller.stop()
})

it('decides nothing more on what it knew, once it leads no more', async () => {
  const world = new World()
  const controller = world.controller()
  world.onBatch = () => controller.stop()
  const fenced = world.clock.drive(controller.submit(world.fence(1)))
  await expect(fenced).rejects.toMatchObject({ code: 'NOT_LEADER' })
  expect(world.types).toHaveLength(1)
})

it('finishes what the controller before it began', async () => {
  const world = new World()
  const { cluster, clock } = world
  cluster.fence(1, 2)
  const first = world.controller()
  world.onBatch = () => first.stop()
  const unfence = { type: 'unfenceBroker', ...cluster.key(2) } as const
  await expect(clock.drive(first.submit(unfence))).rejects.toMatchObject({ code: 'NOT_LEADER' })
  expect(cluster.image.brokers.get(2)?.isFenced).toBe(false)
  expect(world.partitions.map(({ leader }) => leader)).toEqual([2, 2, -1, -1, -1])
  world.onBatch = () => {}
  const next = world.controller()
  await clock.drive(next.readIndex())
  expect(world.partitions.map(({ leader }) => leader)).toEqual([2, 2, 2, 2, 2])
  next.stop()
})

it('has elected what its topic allows, whichever controller asked first', async () => {
  const world = new World()
  const { cluster, clock } = world
  const changes = [
    { name: 'unclean.leader.election.enable', operation: 'set', value: 'true' },
  ] as const
  const request = { topic: 'orders', changes, validateOnly: false }
  cluster.accepted({ type: 'alterTopicConfig', ...request })
  for (const { topicId, partition } of world.partitions) {
    const leaderless = { leader: -1, isr: [], elr: [1], leaderEpoch: 1, partitionEpoch: 1 }
    const before = world.partitions[partition] as PartitionImage
    replay(cluster.image, { type: 'partition', ...before, topicId, ...leaderless })
  }
  cluster.fence(1)
  // It leads no more when it is answered.
  const { promise: never } = Promise.withResolvers<never>()
  let questions = 0
  world.logEnds = () => {
    questions++
    return never
  }
  const first = world.controller()
  const pass = () => clock.drive(new Promise<void>((next) => clock.setTimer(2_000, next)))
  await pass()
  expect(questions).toBe(1)
  first.stop()
  world.logEnds = async (asked) =>
    asked.map(() => [{ ...cluster.key(2), lastEpoch: 0, logEndOffset: 1n }])
  const next = world.controller()
  await pass()
  expect(world.partitions.map(({ leader }) => leader)).toEqual([2, 2, 2, 2, 2])
  next.stop()
})
