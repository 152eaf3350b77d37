// Files that are not what was written (replication.md F8, F9): such a replica is never served from, elected or followed, and is filled
// again from its leader, while other partitions go on.
import { connect } from '@naru/client'
import { kafkaErrors } from '@naru/model'
import { apis } from '@naru/protocol'
import { Kafka, logLevel } from 'kafkajs'
import { expect, it } from 'vitest'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { cutEnd, damagedLogs, flipBit, removeLog, segmentsOf } from '../support/damage.ts'
import { eventually } from '../support/eventually.ts'
import {
  createReplicated,
  differingReplicas,
  leaderOf,
  partitionsOf,
  untilWhole,
} from '../support/replicated-topic.ts'
import { startCluster } from '../support/reported-cluster.ts'
import { fetch } from '../support/requests.ts'
import type { TestCluster } from '../support/test-cluster.ts'

const settings = { 'log.segment.bytes': String(1 << 20) }
const fetchVersion = 12
const topic = 'stored'
const name = `${topic}-0`

/** Several segments of records, written by a client that is not ours. */
async function write(cluster: TestCluster, to: string, count = 200): Promise<void> {
  const kafka = new Kafka({ brokers: cluster.bootstrap.split(','), logLevel: logLevel.NOTHING })
  const producer = kafka.producer()
  await producer.connect()
  for (let at = 0; at < count; at += 5) {
    const messages = Array.from({ length: 5 }, (_, index) => ({ value: textOf(at + index) }))
    await producer.send({ topic: to, messages })
  }
  await producer.disconnect()
}

function textOf(number: number): string {
  return `${number} `.repeat(20_000).slice(0, 20_000)
}

/** The records of a topic that are not what was written. */
async function wrongRecords(cluster: TestCluster, of: string, count = 200): Promise<string[]> {
  await using client = await connect(cluster.bootstrap, { retryMs: 30_000 })
  const wrong: string[] = []
  let next = 0
  for await (const { offset, value } of client.consume(of, { from: 'earliest', untilEnd: true })) {
    if (offset !== BigInt(next) || String(value) !== textOf(next)) wrong.push(`${offset}`)
    next++
  }
  return next === count ? wrong : [...wrong, `${next} of ${count}`]
}

async function elect(cluster: TestCluster, broker: ClusterBroker): Promise<void> {
  await eventually(`broker ${broker.id} leads`, async () => {
    await using client = await connect(cluster.bootstrap, { retryMs: 20_000 })
    await client.admin.partitions.elect('preferred', [{ topic, partition: 0 }])
    return (await leaderOf(cluster, topic)) === broker || undefined
  })
}

/** From here on its journal does not repair what is damaged: it has nothing of what was written. */
async function settle(cluster: TestCluster, broker: ClusterBroker): Promise<void> {
  await broker.stop()
  await broker.start()
  await untilWhole(cluster, topic)
}

it.each(['stop', 'kill'] as const)(
  'a leader that was damaged after its %s hands over, and is filled again',
  async (end) => {
    await using cluster = await startCluster({ settings })
    await createReplicated(cluster, topic, 1)
    await write(cluster, topic)
    const damaged = await leaderOf(cluster, topic)
    await settle(cluster, damaged)
    await damaged[end]()
    flipBit(segmentsOf(damaged, name)[0] as string)
    await damaged.start()
    await untilWhole(cluster, topic)
    await elect(cluster, damaged)

    expect(await wrongRecords(cluster, topic)).toEqual([])
    await eventually(
      'the damaged log is aside',
      () => damagedLogs(damaged).length === 1 || undefined,
    )
    await untilWhole(cluster, topic)
    expect(await differingReplicas(cluster, topic)).toEqual([])
    expect(damaged.report).toContain('replica-damaged')
    // The next start finds nothing amiss.
    await damaged.kill()
    await damaged.start()
    await untilWhole(cluster, topic)
    await elect(cluster, damaged)
    expect(await wrongRecords(cluster, topic)).toEqual([])
    expect(damagedLogs(damaged)).toHaveLength(1)
  },
  120_000,
)

it('a leader that finds itself damaged for a follower that lags hands over, and others go on', async () => {
  await using cluster = await startCluster({ settings })
  await createReplicated(cluster, topic, 1)
  const leader = await leaderOf(cluster, topic)
  const [lagging] = cluster.others(leader) as [ClusterBroker]
  await createReplicated(cluster, 'other', 6)
  await lagging.kill()
  await write(cluster, topic)
  await write(cluster, 'other')
  flipBit(segmentsOf(leader, name)[1] as string)

  await lagging.start()
  await untilWhole(cluster, 'other')
  await eventually('the damaged log is aside', () => damagedLogs(leader).length === 1 || undefined)
  expect(await leaderOf(cluster, topic)).not.toBe(leader)
  await untilWhole(cluster, topic)
  expect(await differingReplicas(cluster, topic)).toEqual([])
  expect(await differingReplicas(cluster, 'other')).toEqual([])
  expect(await wrongRecords(cluster, topic)).toEqual([])
}, 120_000)

it.each([
  ['the end of its log', cutEnd],
  ['its log', removeLog],
])(
  'a replica that lost %s is not elected, and cuts nobody',
  async (_, damage) => {
    await using cluster = await startCluster({ settings })
    await createReplicated(cluster, topic, 1)
    const leader = await leaderOf(cluster, topic)
    const [away, damaged] = cluster.others(leader) as [ClusterBroker, ClusterBroker]
    await away.kill()
    await write(cluster, topic)
    await damaged.stop()
    await leader.kill()
    damage(damaged, name)

    // One was in sync last, the other is known to be complete: that one is there, and is not complete any more.
    await Promise.all([damaged.start(), away.start()])
    await eventually('nobody leads', async () => {
      const [shown] = (await partitionsOf(cluster, topic)) ?? []
      return shown?.leaderId === -1 || undefined
    })
    await leader.start()
    await untilWhole(cluster, topic)
    expect(await wrongRecords(cluster, topic)).toEqual([])
    expect(await differingReplicas(cluster, topic)).toEqual([])
  },
  120_000,
)

it('the only replica is kept: what is readable of it is served, the rest is said to be damaged', async () => {
  await using cluster = await startCluster({ size: 1, settings })
  const [broker] = cluster.brokers as [ClusterBroker]
  await using client = await connect(cluster.bootstrap, { retryMs: 20_000 })
  await client.admin.createTopic(topic, { partitions: 1, replicas: 1 })
  await write(cluster, topic)
  await broker.stop()
  const damagedOffset = flipBit(segmentsOf(broker, name)[0] as string)
  await broker.start()
  const read = async (fetchOffset: bigint) => {
    const answer = await broker.ask(apis.fetch, fetchVersion, fetch([{ topic, fetchOffset }]))
    return answer?.responses[0]?.partitions[0]
  }
  await eventually('it is said to be damaged', async () => {
    const answer = await read(damagedOffset)
    return answer?.errorCode === kafkaErrors.CORRUPT_MESSAGE.code || undefined
  })
  const before = await read(0n)
  expect(before?.errorCode).toBe(kafkaErrors.NONE.code)
  expect(before?.records?.length).toBeGreaterThan(100_000)
  expect((await read(damagedOffset + 5n))?.errorCode).toBe(kafkaErrors.NONE.code)
  expect(damagedLogs(broker)).toEqual([])
}, 60_000)
