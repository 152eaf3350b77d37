/**
 * Kafka's producer-perf at its default settings, while the leader of the one partition is stopped as its operator would (SIGTERM): the
 * longest that a record waited for its acknowledgement, once per stop, and whatever the producer complained of.
 *
 *     node test/performance/planned-stops.ts [stops]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { apis } from '@naru/protocol'
import { eventually } from '../support/eventually.ts'
import { hasJavaTools, javaArguments } from '../support/java-tools.ts'
import { leaderOf, partitionsOf } from '../support/replicated-topic.ts'
import { create, newTopic } from '../support/requests.ts'
import { TestCluster } from '../support/test-cluster.ts'

const stops = Number(process.argv[2] ?? 30)
const topic = 'planned'
const perSecond = 500
const seconds = 6
/** The first records wait for the topic's metadata. */
const warmupSeconds = 2

if (!hasJavaTools()) throw new Error("Kafka's tools cannot be had here: they need java and mvn")
await using cluster = await TestCluster.start()
const shape = { numPartitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': '2' } }
const answer = await cluster.broker(1).ask(apis.createTopics, 7, create([newTopic(topic, shape)]))
if (answer?.topics[0]?.errorCode !== 0) throw new Error('Creating the topic')

const longest: number[] = []
const complaints: string[] = []
for (let stop = 0; stop < stops; stop++) {
  const leader = await leaderOf(cluster, topic)
  longest.push(await produceWhile(() => leader.stop()))
  await leader.start()
  await eventually('all replicas are in sync', async () => {
    const [shown] = (await partitionsOf(cluster, topic)) ?? []
    return shown?.isrNodes.length === 3 || undefined
  })
}
longest.sort((a, b) => a - b)
const at = (share: number) => longest[Math.min(stops - 1, Math.floor(share * stops))]
console.log(`${stops} stops, longest wait: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; each: ${longest}`)
console.log(`${complaints.length} complaints of the producer`, ...new Set(complaints))

/** The longest wait of a record after the warm-up, in milliseconds. */
async function produceWhile(stopLeader: () => Promise<unknown>): Promise<number> {
  const args = {
    '--topic': topic,
    '--num-records': perSecond * seconds,
    '--throughput': perSecond,
    '--record-size': 100,
    '--warmup-records': perSecond * warmupSeconds,
    '--reporting-interval': 1_000,
    '--bootstrap-server': cluster.bootstrap,
  }
  const words = Object.entries(args).flatMap(([name, value]) => [name, String(value)])
  const child = spawn('java', javaArguments('producer-perf', words), { stdio: 'pipe' })
  const ended = once(child, 'close')
  let reports = 0
  let summary = ''
  let stopping: Promise<unknown> | undefined
  createInterface({ input: child.stdout }).on('line', (line) => {
    summary = line
    if (++reports === warmupSeconds + 1) stopping = stopLeader()
  })
  createInterface({ input: child.stderr }).on('line', (line) => complaints.push(line))
  await ended
  await stopping
  const found = /([\d.]+) ms max latency/.exec(summary)
  if (found === null) throw new Error(`No summary of producer-perf: ${summary}`)
  return Number(found[1])
}
