// Partitions of which everything that was acknowledged lies on a broker that is gone: they stay offline and say why, until their
// setting lets a replica lead that lacks records; then what it lacks is lost, which is told, and all replicas become the same again.
import { connect } from '@naru/client'
import { resourceTypes } from '@naru/metadata'
import { apis } from '@naru/protocol'
import { expect, it } from 'vitest'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { eventually } from '../support/eventually.ts'
import { lastingPorts } from '../support/lasting-ports.ts'
import { type Ended, naru } from '../support/naru.ts'
import { partitionsOf, untilWhole } from '../support/replicated-topic.ts'
import { prepareCluster } from '../support/reported-cluster.ts'
import { alter, batch, create, newTopic, operations, produce } from '../support/requests.ts'
import type { TestCluster } from '../support/test-cluster.ts'

const setting = 'unclean.leader.election.enable'
const produceVersion = 9

async function grpcCluster(): Promise<TestCluster> {
  const cluster = await prepareCluster()
  const ports = await lastingPorts(cluster.brokers.length)
  for (const [at, { settings }] of cluster.brokers.entries()) {
    settings.set('naru.grpc.listeners', `127.0.0.1:${ports[at]}`)
  }
  await cluster.startAll()
  return cluster
}

/** By the program, with a word that it has to end well. */
async function run(cluster: TestCluster, ...args: readonly string[]): Promise<string> {
  const NARU_BOOTSTRAP = cluster.active.map(({ bootstrap }) => bootstrap).join(',')
  const ended: Ended = await naru(args, { env: { NARU_BOOTSTRAP } })
  expect({ args, ...ended }).toMatchObject({ code: 0, stderr: '' })
  return ended.stdout
}

async function make(
  at: ClusterBroker,
  name: string,
  configs: Record<string, string> = {},
  brokerIds: number[] = [1, 2],
) {
  const topic = newTopic(name, {
    ...{ numPartitions: -1, replicationFactor: -1 },
    assignments: [{ partitionIndex: 0, brokerIds }],
    configs: { 'min.insync.replicas': '1', ...configs },
  })
  const answer = await at.ask(apis.createTopics, 7, create([topic]))
  expect(answer?.topics[0]?.errorCode).toBe(0)
}

async function write(leader: ClusterBroker, topic: string, value: string, acks: number) {
  const request = produce([{ topic, records: batch([value]) }], { acks })
  const answer = await leader.ask(apis.produce, produceVersion, request)
  expect(answer?.responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
}

async function read(cluster: TestCluster, topic: string): Promise<string[]> {
  await using client = await connect(cluster.bootstrap, { retryMs: 20_000 })
  const values: string[] = []
  for await (const { value } of client.consume(topic, { from: 'earliest', untilEnd: true })) {
    values.push(String(value))
  }
  return values
}

/** For all topics that do not set it themselves. */
async function setForAll(at: ClusterBroker): Promise<void> {
  const change = [setting, operations.set, 'true'] as const
  const request = alter('', [change], { type: resourceTypes.broker })
  const answer = await at.ask(apis.incrementalAlterConfigs, 1, request)
  expect(answer?.responses[0]?.errorCode).toBe(0)
}

function inSync(cluster: TestCluster, topic: string, brokerIds: number[]): Promise<true> {
  return eventually(`${brokerIds} are in sync in ${topic}`, async () => {
    const shown = (await partitionsOf(cluster, topic))?.[0]
    return String(shown?.isrNodes.toSorted()) === String(brokerIds) || undefined
  })
}

function ledBy(cluster: TestCluster, topic: string, leader: number): Promise<true> {
  return eventually(`${topic} is led by ${leader}`, async () => {
    const shown = (await partitionsOf(cluster, topic))?.[0]
    return shown?.leaderId === leader || undefined
  })
}

it('elects who lacks records where that is allowed, at once or when it becomes so, and nowhere else', async () => {
  await using cluster = await grpcCluster()
  const [first, second] = cluster.brokers as [ClusterBroker, ClusterBroker]
  const topics = ['allowed', 'later', 'default']
  await make(first, 'allowed', { [setting]: 'true' })
  for (const topic of ['later', 'default']) await make(first, topic)
  await make(first, 'safe', { [setting]: 'false' })
  for (const topic of [...topics, 'safe']) await write(first, topic, 'both', -1)
  await run(cluster, 'topic', 'create', 'made', '--config', `${setting}=true`)
  expect(await run(cluster, 'topic', 'describe', 'made')).toContain(setting)

  await second.kill()
  for (const topic of [...topics, 'safe']) {
    await inSync(cluster, topic, [1])
    await write(first, topic, 'lost', 1)
  }
  await first.kill()
  await second.start()

  await ledBy(cluster, 'allowed', 2)
  for (const topic of ['later', 'default', 'safe']) await ledBy(cluster, topic, -1)
  const why = await run(cluster, 'partition', 'why', 'later:0')
  expect(why).toContain('Nobody leads: broker 1, known to have all that was acknowledged, cannot')
  expect(why).toContain(`${setting} is false: broker 2 will not lead unless an operator asks`)
  await run(cluster, 'topic', 'set', 'later', `${setting}=true`)
  await ledBy(cluster, 'later', 2)
  await setForAll(second)
  await ledBy(cluster, 'default', 2)
  await ledBy(cluster, 'safe', -1)

  for (const topic of topics) await write(second, topic, 'after', -1)
  const told = await run(cluster, 'events', '--since', '10m')
  for (const topic of topics) {
    expect(told).toMatch(
      new RegExp(`${topic}:0 .*unclean election of 2, by the setting of the topic`),
    )
  }
  expect(told).not.toMatch(/safe:0 .*unclean/)

  // Who led before takes over what there is now; where nobody was elected it leads again, and nothing is lost.
  await first.start()
  for (const topic of [...topics, 'safe']) await untilWhole(cluster, topic)
  expect(await read(cluster, 'safe')).toEqual(['both', 'lost'])
  for (const topic of topics) {
    const cut = await run(cluster, 'partition', 'why', `${topic}:0`)
    expect(cut).toContain('uncleanly: acknowledged records may be lost')
    expect(cut).not.toContain('is cut back')
    await run(cluster, 'partition', 'elect', `${topic}:0`)
    await ledBy(cluster, topic, 1)
    expect(await read(cluster, topic)).toEqual(['both', 'after'])
  }
}, 120_000)

it('elects the one that lacks least, and has all others take over its log', async () => {
  await using cluster = await grpcCluster()
  // Two that do not vote: there is a controller while they are away with a voter.
  const [ahead, behind] = [await cluster.add(4), await cluster.add(5)]
  for (const broker of [ahead, behind]) await broker.start()
  const [most] = cluster.brokers as [ClusterBroker]
  await make(ahead, 'orders', {}, [4, 5, 1])
  await write(ahead, 'orders', 'all three', -1)
  await behind.kill()
  await inSync(cluster, 'orders', [1, 4])
  await write(ahead, 'orders', 'two', -1)
  await most.kill()
  await inSync(cluster, 'orders', [4])
  await write(ahead, 'orders', 'one', -1)
  await ahead.kill()
  await ledBy(cluster, 'orders', -1)
  for (const broker of [behind, most]) await broker.start()
  await run(cluster, 'topic', 'set', 'orders', `${setting}=true`)
  await ledBy(cluster, 'orders', 1)
  await write(most, 'orders', 'after', 1)
  await inSync(cluster, 'orders', [1, 5])
  await ahead.start()
  await untilWhole(cluster, 'orders')
  for (const broker of [ahead, behind]) {
    await run(cluster, 'partition', 'move', 'orders:0', '--to', `${broker.id},1,${9 - broker.id}`)
    await run(cluster, 'partition', 'elect', 'orders:0')
    await ledBy(cluster, 'orders', broker.id)
    expect(await read(cluster, 'orders')).toEqual(['all three', 'two', 'after'])
  }
}, 120_000)
