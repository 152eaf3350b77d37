/**
 * A cluster of three with many topics: how fast they are created, what they take, and how long the controller's failover, a
 * restart and a snapshot take with them.
 *
 *     node test/performance/quorum-topics.ts [topics]
 */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { decodeMetadataRecords, emptyImage, restoreImage } from '@naru/metadata'
import { apis } from '@naru/protocol'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { histogram } from '../support/creation-audit.ts'
import { eventually } from '../support/eventually.ts'
import { cpuSeconds, memory } from '../support/process-usage.ts'
import { alter, create, newTopic, operations } from '../support/requests.ts'
import { TestCluster } from '../support/test-cluster.ts'
import { TopicCreators } from '../support/topic-creators.ts'
import { WireClient } from '../support/wire-client.ts'

const topics = Number(process.argv[2] ?? 10_000)
const connections = 24
const failovers = 10
const idleMs = 30_000
/** Entries after which a broker takes a snapshot, and some more. */
const snapshotEntries = 6_000

await using cluster = await TestCluster.start()
tell('before', ...usage())
const names = Array.from({ length: topics }, (_, index) => `topic-${index}`)
await timed(`${topics} creations`, () => each(names, createOne), topics)
await eventually('all brokers show all topics', async () => {
  const shown = await Promise.all(cluster.brokers.map((broker) => cluster.topicsSeenBy(broker)))
  return shown.every((list) => (list?.length ?? 0) >= topics) || undefined
})
tell('after', ...usage())
await idle()
await failover()
await restarts()
await snapshots()

function tell(what: string, ...lines: string[]): void {
  console.log([what, ...lines].join('\n  '))
}

async function timed(what: string, work: () => Promise<void>, count?: number): Promise<void> {
  const startMs = performance.now()
  await work()
  const ms = performance.now() - startMs
  const rate = count === undefined ? '' : `, ${Math.round((count / ms) * 1_000)}/s`
  console.log(`${what}: ${Math.round(ms)} ms${rate}`)
}

/** Runs `work` for all names over some connections to all brokers. */
async function each(
  all: readonly string[],
  work: (client: WireClient, name: string) => Promise<void>,
): Promise<void> {
  let next = 0
  const loop = async (index: number) => {
    const broker = cluster.brokers[index % cluster.brokers.length] as ClusterBroker
    await using client = new WireClient(broker.bootstrap)
    for (let at = next++; at < all.length; at = next++) await work(client, all[at] as string)
  }
  await Promise.all(Array.from({ length: connections }, (_, index) => loop(index)))
}

async function createOne(client: WireClient, name: string): Promise<void> {
  const answer = await client.ask(apis.createTopics, 7, create([newTopic(name)]))
  const code = typeof answer === 'string' ? answer : answer.topics[0]?.errorCode
  if (code !== 0) throw new Error(`Creating ${name}: ${code}`)
}

function usage(): string[] {
  return cluster.brokers.map(({ id, process: { pid } }) => {
    const { residentMb, peakMb } = memory(pid)
    return `broker ${id}: ${residentMb} MB, peak ${peakMb} MB, ${cpuSeconds(pid).toFixed(1)} s of CPU`
  })
}

async function idle(): Promise<void> {
  const { id: leader } = await cluster.controller()
  const before = cluster.brokers.map(({ process: { pid } }) => cpuSeconds(pid))
  await new Promise((resolve) => setTimeout(resolve, idleMs))
  const shares = cluster.brokers.map(({ id, process: { pid } }, index) => {
    const share = ((cpuSeconds(pid) - (before[index] ?? 0)) / idleMs) * 100_000
    return `broker ${id}${id === leader ? ' (leader)' : ''}: ${share.toFixed(2)} % of a core`
  })
  tell('idle', ...shares)
}

async function failover(): Promise<void> {
  const gaps: number[] = []
  const starts: number[] = []
  await using creators = new TopicCreators(cluster.brokers, { prefix: 'while-killed' })
  for (let round = 0; round < failovers; round++) {
    await creators.more(20)
    const controller = await cluster.controller()
    const killedMs = performance.now()
    await controller.kill()
    gaps.push(await creators.acknowledgedAfter(killedMs))
    await creators.more(10)
    starts.push((await controller.start()).startMs)
  }
  tell(histogram('kill of the controller to the next creation', gaps))
  tell(histogram('start of one after kill -9', starts))
}

async function restarts(): Promise<void> {
  const all = cluster.brokers
  await cluster.killAll()
  await timed('start of all after kill -9', () => cluster.startAll())
  await timed('clean stop of all', async () => {
    await Promise.all(all.map((broker) => broker.stop()))
  })
  await timed('start of all after a clean stop', () => cluster.startAll())
  const one = all[0] as ClusterBroker
  await timed('clean stop of one', async () => void (await one.stop()))
  await timed('start of one after a clean stop', async () => void (await one.start()))
}

async function snapshots(): Promise<void> {
  const rounds = Array.from({ length: Math.ceil(snapshotEntries / topics) }, (_, index) => index)
  await timed('changes of settings until there is a snapshot', async () => {
    for (const round of rounds) {
      await each(names, async (client, name) => {
        const change = alter(name, [['retention.ms', operations.set, String(1_000_000 + round)]])
        await client.ask(apis.incrementalAlterConfigs, 1, change)
      })
    }
  })
  for (const broker of cluster.brokers) {
    const path = await eventually('a snapshot is there', () => newestSnapshot(broker))
    const file = readFileSync(path)
    const state = file.subarray(4 + file.readUInt32BE(0))
    const startMs = performance.now()
    const records = decodeMetadataRecords(state)
    restoreImage(emptyImage(), records)
    const ms = Math.round(performance.now() - startMs)
    console.log(
      `snapshot of broker ${broker.id}: ${Math.round(file.length / 1024)} KB, ${records.length} records, restored in ${ms} ms`,
    )
  }
  tell('after the snapshot', ...usage())
  const [one] = cluster.brokers as [ClusterBroker]
  await one.kill()
  await timed('start of one with a snapshot', async () => void (await one.start()))
  await one.kill()
  one.wipe()
  await timed('start of one with an empty disk', async () => void (await one.start()))
}

function newestSnapshot({ dataDirectory }: ClusterBroker): string | undefined {
  const found = readdirSync(dataDirectory, { recursive: true, encoding: 'utf8' })
    .filter((name) => /snapshot-\d+-\d+$/.test(name))
    .map((name) => join(dataDirectory, name))
  return found.sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs).at(-1)
}
