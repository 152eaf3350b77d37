/**
 * A follower was away while much was written: how fast it fetches that, and what the latency of writes to its leader is meanwhile,
 * beside what it is when nobody has to catch up.
 *
 *     node test/performance/catch-up.ts [megabytes]
 */
import { apis } from '@naru/protocol'
import { encodeBatch } from '@naru/records'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { eventually } from '../support/eventually.ts'
import { leaderOf, partitionsOf } from '../support/replicated-topic.ts'
import { batch, create, newTopic, produce } from '../support/requests.ts'
import { TestCluster } from '../support/test-cluster.ts'
import { WireClient } from '../support/wire-client.ts'

const megabytes = Number(process.argv[2] ?? 5_000)
const recordBytes = 1_024
const recordsPerBatch = 500
const probeEveryMs = 10
const normalMs = 15_000
const withinMs = 600_000

await using cluster = await TestCluster.start()
const away = cluster.broker(3)
await createOn('big', [1, 2, 3])
await createOn('probe', [1, 2])
await eventually(
  'the preferred leader',
  async () => (await leaderOf(cluster, 'big')).id === 1 || undefined,
)
tell('before', await probe(pause(normalMs)))
await away.stop()
await write()
tell('with a follower away', await probe(pause(normalMs)))
const startedMs = performance.now()
await away.start()
const readyMs = performance.now()
tell('while it catches up', await probe(inSync()))
const seconds = (performance.now() - readyMs) / 1_000
const rate = Math.round(megabytes / seconds)
const start = Math.round(readyMs - startedMs)
console.log(`started in ${start} ms, then ${megabytes} MB in ${seconds.toFixed(1)} s: ${rate} MB/s`)

async function createOn(name: string, brokerIds: number[]): Promise<void> {
  const topic = newTopic(name, {
    numPartitions: -1,
    replicationFactor: -1,
    assignments: [{ partitionIndex: 0, brokerIds }],
    configs: { 'min.insync.replicas': '2' },
  })
  const answer = await cluster.broker(1).ask(apis.createTopics, 7, create([topic]))
  if (answer?.topics[0]?.errorCode !== 0) throw new Error(`Creating ${name}`)
}

async function write(): Promise<void> {
  const record = { key: null, headers: [], value: Buffer.alloc(recordBytes, 'x'), timestamp: 0n }
  const records = encodeBatch(Array.from({ length: recordsPerBatch }, () => ({ ...record })))
  const batches = Math.ceil((megabytes * 1e6) / records.length)
  let next = 0
  const writer = async () => {
    await using client = new WireClient(cluster.broker(1).bootstrap)
    while (next++ < batches) await writeTo(client, 'big', records)
  }
  await Promise.all(Array.from({ length: 4 }, writer))
}

async function writeTo(client: WireClient, topic: string, records: Buffer): Promise<void> {
  const answer = await client.ask(apis.produce, 9, produce([{ topic, records }]))
  const code =
    typeof answer === 'string' ? answer : answer.responses[0]?.partitionResponses[0]?.errorCode
  if (code !== 0) throw new Error(`Writing to ${topic}: ${code}`)
}

/** Milliseconds that single writes with acks=all take until `end` is there. */
async function probe(end: Promise<unknown>): Promise<number[]> {
  const leader: ClusterBroker = await leaderOf(cluster, 'probe')
  await using client = new WireClient(leader.bootstrap)
  const times: number[] = []
  let isEnded = false
  const stop = () => {
    isEnded = true
  }
  void end.then(stop, stop)
  const records = batch(['x'.repeat(recordBytes)])
  while (!isEnded) {
    const sentMs = performance.now()
    await writeTo(client, 'probe', records)
    times.push(performance.now() - sentMs)
    await pause(Math.max(0, probeEveryMs - (performance.now() - sentMs)))
  }
  await end
  return times
}

function inSync(): Promise<unknown> {
  const look = async () => {
    const [shown] = (await partitionsOf(cluster, 'big')) ?? []
    return shown?.isrNodes.length === 3 || undefined
  }
  return eventually('the follower is in sync', look, withinMs)
}

function tell(what: string, times: number[]): void {
  const sorted = times.sort((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor(share * sorted.length)] ?? Number.NaN).toFixed(2)
  const figures = `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${sorted.at(-1)?.toFixed(2)} ms`
  console.log(`write of 1 KB with acks=all, ${what}: ${sorted.length} times, ${figures}`)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
