// Kafka's own tool moves a replica under a limit (KIP-73): it is held back, everything else is not, and no limit is left behind.
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { apis } from '@naru/protocol'
import { expect, it } from 'vitest'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { eventually } from '../support/eventually.ts'
import { hasJavaTools, javaTool } from '../support/java-tools.ts'
import { partitionsOf } from '../support/replicated-topic.ts'
import { startCluster } from '../support/reported-cluster.ts'
import { batch, describeConfigs, produce } from '../support/requests.ts'
import type { TestCluster } from '../support/test-cluster.ts'

const megabytes = 20
const topicType = 2
const brokerType = 4
/** Settings of topics, of brokers. */
const dynamicSources = [1, 2]

it.skipIf(!hasJavaTools())(
  'a move is held back by its throttle, a higher one lets it end, and --verify takes the limits away',
  async () => {
    await using cluster = await startCluster()
    const leader = cluster.broker(1)
    const at = ['--bootstrap-server', leader.bootstrap]
    const create = (topic: string, replicas: string) =>
      javaTool('topics', [...at, '--create', '--topic', topic, '--replica-assignment', replicas])
    await create('heavy', '1:2')
    await create('light', '1:3')
    const megabyte = batch([randomBytes(500_000).toString('hex')])
    for (let i = 0; i < megabytes; i++) await write(leader, 'heavy', megabyte)

    const file = join(cluster.directory, 'move.json')
    const partitions = [{ topic: 'heavy', partition: 0, replicas: [3, 2] }]
    writeFileSync(file, JSON.stringify({ version: 1, partitions }))
    const reassign = (...args: string[]) => javaTool('reassign', [...at, ...args])
    const move = ['--reassignment-json-file', file]
    // Slow enough to be under way for as long as the tools need to look at it.
    await reassign('--execute', ...move, '--throttle', '200000')
    const underWay = 'heavy-0: replicas: 3,2,1. adding: 3. removing: 1.'
    expect(await reassign('--list')).toContain(underWay)
    expect(await limitsOf(cluster)).toEqual([
      'heavy: follower.replication.throttled.replicas=0:3',
      'heavy: leader.replication.throttled.replicas=0:1,0:2',
      ...['1', '2', '3'].flatMap((id) => [
        `${id}: follower.replication.throttled.rate=200000`,
        `${id}: leader.replication.throttled.rate=200000`,
      ]),
    ])
    // The same two brokers, the same stream.
    for (let i = 0; i < 10; i++) await write(leader, 'light', megabyte)
    expect((await partitionsOf(cluster, 'light'))?.[0]?.isrNodes.toSorted()).toEqual([1, 3])
    expect(await reassign('--list')).toContain(underWay)

    await reassign('--execute', ...move, '--additional', '--throttle', '1000000000')
    await eventually('the move is done', async () => {
      const moved = (await partitionsOf(cluster, 'heavy'))?.[0]
      return String(moved?.replicaNodes) === '3,2' || undefined
    })
    expect(await reassign('--verify', ...move)).toContain('partition heavy-0 is completed')
    expect(await limitsOf(cluster)).toEqual([])
  },
)

/** Resolves when all in-sync replicas have it. */
async function write(leader: ClusterBroker, topic: string, records: Buffer): Promise<void> {
  const request = produce([{ topic, records: Buffer.from(records) }])
  const answer = await leader.ask(apis.produce, 9, request)
  expect(answer?.responses[0]?.partitionResponses[0]?.errorCode).toBe(0)
}

/** What is set of the topic and of each broker, as each broker shows it. */
async function limitsOf(cluster: TestCluster): Promise<string[]> {
  const own = async (broker: ClusterBroker, type: number, name: string) => {
    const answer = await broker.ask(apis.describeConfigs, 4, describeConfigs([{ type, name }]))
    const made = answer?.results[0]?.configs.filter((each) =>
      dynamicSources.includes(each.configSource),
    )
    return made?.map((each) => `${name}: ${each.name}=${each.value}`) ?? [`${name} does not answer`]
  }
  const [first] = cluster.brokers as [ClusterBroker]
  const topic = await own(first, topicType, 'heavy')
  const brokers = await Promise.all(
    cluster.brokers.map((broker) => own(broker, brokerType, String(broker.id))),
  )
  return [...topic.sort(), ...brokers.flat()]
}
