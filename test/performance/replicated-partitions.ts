/**
 * A cluster of three with many partitions of three replicas: what they cost when nobody asks for anything, and how long it takes
 * after the kill of a broker until each of its partitions has taken a write with acks=all again.
 *
 *     node test/performance/replicated-partitions.ts [partitions] [kills]
 */
import { apis } from '@naru/protocol'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { eventually } from '../support/eventually.ts'
import { cpuSeconds, memory } from '../support/process-usage.ts'
import { batch, create, metadata, newTopic, produce } from '../support/requests.ts'
import { TestCluster } from '../support/test-cluster.ts'
import { WireClient } from '../support/wire-client.ts'

const partitions = Number(process.argv[2] ?? 3_000)
const kills = Number(process.argv[3] ?? 6)
const perTopic = 100
const settleMs = 15_000
const idleMs = 30_000
const withinMs = 60_000

interface Place {
  readonly topic: string
  readonly partition: number
  readonly leader: number
  readonly isr: number
}

await using cluster = await TestCluster.start()
const topics = Array.from({ length: Math.ceil(partitions / perTopic) }, (_, index) => `t${index}`)
for (const name of topics) await createOne(name)
await whole()
const writtenMs = await writeAll(await places())
console.log(`${partitions} partitions, a write to each: ${Math.round(writtenMs)} ms`)
await pause(settleMs)
await idle()
for (let kill = 0; kill < kills; kill++) await failover(cluster.brokers[kill % 3] as ClusterBroker)

async function createOne(name: string): Promise<void> {
  const broker = cluster.brokers[0] as ClusterBroker
  const topic = newTopic(name, {
    numPartitions: perTopic,
    replicationFactor: 3,
    configs: { 'min.insync.replicas': '2' },
  })
  const answer = await broker.ask(apis.createTopics, 7, create([topic]))
  if (answer?.topics[0]?.errorCode !== 0) throw new Error(`Creating ${name}: ${answer}`)
}

async function places(): Promise<Place[]> {
  const broker = cluster.active[0] as ClusterBroker
  const answer = await broker.ask(apis.metadata, 12, metadata(null))
  return (answer?.topics ?? []).flatMap(({ name, partitions: shown }) =>
    shown.map(({ partitionIndex: partition, leaderId: leader, isrNodes }) => {
      return { topic: name ?? '', partition, leader, isr: isrNodes.length }
    }),
  )
}

/** Waits until all replicas are in sync. */
function whole(): Promise<unknown> {
  const look = async () => {
    const all = await places()
    return (all.length >= partitions && all.every(({ isr }) => isr === 3)) || undefined
  }
  return eventually('all replicas are in sync again', look, withinMs)
}

/** Gives the leaderships back to those who come first, as evenly as at first. */
async function even(): Promise<void> {
  const request = { electionType: 0, topicPartitions: null, timeoutMs: 30_000 }
  const answer = await (cluster.brokers[0] as ClusterBroker).ask(apis.electLeaders, 2, request)
  if (answer?.errorCode !== 0)
    throw new Error(`Electing the preferred leaders: ${answer?.errorCode}`)
}

/** Writes one record to each, wherever they are led, until all have it; returns after how many milliseconds that was. */
async function writeAll(wanted: readonly Place[]): Promise<number> {
  const startMs = performance.now()
  const pending = new Set(wanted.map(keyOf))
  const records = batch(['one'])
  const clients = new Map(
    cluster.active.map(({ id, bootstrap }) => [id, new WireClient(bootstrap)]),
  )
  while (pending.size > 0) {
    if (performance.now() - startMs > withinMs) throw new Error(`${pending.size} take no write`)
    const now = (await places()).filter((place) => pending.has(keyOf(place)))
    await Promise.all(
      [...clients].map(async ([id, client]) => {
        const own = now.filter(({ leader }) => leader === id)
        if (own.length === 0) return
        const request = produce(own.map((place) => ({ ...place, records })))
        const answer = await client.ask(apis.produce, 9, request)
        if (typeof answer === 'string') return
        for (const { name, partitionResponses } of answer.responses) {
          for (const { index, errorCode } of partitionResponses) {
            if (errorCode === 0) pending.delete(`${name}-${index}`)
          }
        }
      }),
    )
  }
  for (const client of clients.values()) await client[Symbol.asyncDispose]()
  return performance.now() - startMs
}

function keyOf({ topic, partition }: Place): string {
  return `${topic}-${partition}`
}

async function failover(broker: ClusterBroker): Promise<void> {
  const led = (await places()).filter(({ leader }) => leader === broker.id)
  const { id: controller } = await cluster.controller()
  await broker.kill()
  const ms = await writeAll(led)
  const role = controller === broker.id ? ' (controller)' : ''
  const written = `${led.length} partitions take writes again after ${Math.round(ms)} ms`
  await broker.start()
  const backMs = performance.now()
  await whole()
  const wholeMs = Math.round(performance.now() - backMs)
  await even()
  console.log(`kill of broker ${broker.id}${role}: ${written}; started, whole after ${wholeMs} ms`)
}

async function idle(): Promise<void> {
  const { id: controller } = await cluster.controller()
  const before = cluster.brokers.map(({ process: { pid } }) => cpuSeconds(pid))
  await pause(idleMs)
  for (const [index, { id, process: own }] of cluster.brokers.entries()) {
    const share = ((cpuSeconds(own.pid) - (before[index] ?? 0)) / idleMs) * 100_000
    const { residentMb, peakMb } = memory(own.pid)
    const role = id === controller ? ' (controller)' : ''
    const usage = `${share.toFixed(2)} % of a core, ${residentMb} MB, peak ${peakMb} MB`
    console.log(`idle broker ${id}${role}: ${usage}`)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
