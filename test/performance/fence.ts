/**
 * How long the loop is held by a broker that goes and comes back and holds a replica of every partition: deciding, encoding and
 * replaying on the controller, decoding and replaying on every broker; then what a snapshot of all that costs. Milliseconds of CPU of the
 * longest batch (of all), the first time that this process does it, for that is how it happens.
 *
 *     node test/performance/fence.ts [topics] [partitions of each] [changes in a batch]
 */
import {
  type Command,
  changesPerBatchDefault,
  cloneImage,
  decide,
  decodeMetadataRecords,
  emptyImage,
  encodeMetadataRecords,
  imageRecords,
  isRefusal,
  type MetadataImage,
  type MetadataRecord,
  replay,
  restoreImage,
  supportedFeatures,
  writtenLevel,
} from '@naru/metadata'
import { topicConfigKey } from '@naru/model'

const topics = Number(process.argv[2] ?? 10_000)
const partitions = Number(process.argv[3] ?? 3)
const brokers = [1, 2, 3]
const settings = {
  nodeId: 1,
  defaults: { partitions, replicationFactor: brokers.length, isReplicationFactorSet: true },
  isDeletionEnabled: true,
  changesPerBatch: Number(process.argv[4] ?? changesPerBatchDefault),
  configDefault: (name: string) => topicConfigKey(name)?.default ?? '',
}

let index = 0n
/** Ahead of what is committed, and a broker's copy of what is. */
const shadow = emptyImage()
const copy = emptyImage()

function id(number: number): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32BE(number, 12)
  return bytes.toString('base64url')
}

function key(nodeId: number) {
  return { nodeId, brokerEpoch: shadow.brokers.get(nodeId)?.brokerEpoch ?? -1n }
}

function registration(nodeId: number, life: number): Command {
  const { brokerEpoch } = key(nodeId)
  return {
    type: 'registerBroker',
    nodeId,
    incarnationId: id(1_000 * (life + 1) + nodeId),
    metadataDirectory: id(nodeId),
    clusterId: 'measured',
    rack: null,
    endpoints: [{ listener: 'PLAINTEXT', host: 'localhost', port: 9_091 + nodeId }],
    directories: [{ directoryId: id(nodeId), cleanliness: 'process-crash', brokerEpoch }],
    features: [...supportedFeatures],
    isPreviousSilent: true,
  }
}

function context() {
  return { index: ++index, nowMs: 1_000, settings, features: supportedFeatures }
}

function replayAll(image: MetadataImage, records: readonly MetadataRecord[]): void {
  for (const record of records) replay(image, record)
}

function run(command: Command): void {
  for (;;) {
    const { records, response, isPart } = decide(shadow, command, context())
    if (isRefusal(response)) throw new Error(response.message)
    replayAll(shadow, records)
    replayAll(copy, records)
    if (isPart !== true) return
  }
}

/** As records and not by commands, so that nothing that is measured below runs here. */
function createTopics(): void {
  for (let number = 0; number < topics; number++) {
    const topicId = id(1_000_000 + number)
    const records: MetadataRecord[] = [{ type: 'topic', topicId, name: `topic-${number}` }]
    for (let partition = 0; partition < partitions; partition++) {
      const replicas = brokers.map((_, at) => brokers[(number + partition + at) % 3] as number)
      records.push({
        type: 'partition',
        topicId,
        partition,
        replicas,
        directories: replicas.map(id),
        isr: replicas,
        leader: replicas[0] as number,
        leaderEpoch: 0,
        partitionEpoch: 0,
        elr: [],
        lastKnownElr: [],
        minIsr: 2,
        isFlushed: true,
        isRecovering: false,
        addingReplicas: [],
        removingReplicas: [],
        removedReplicas: [],
      })
    }
    replayAll(shadow, records)
    replayAll(copy, records)
  }
}

/** Everybody proposes the broker again for everything, a thousand partitions at a time, without being timed. */
function rejoin(nodeId: number): void {
  const all = [...shadow.topics.values()].flatMap((topic) => topic.partitions)
  for (const leader of brokers) {
    const led = all.filter((each) => each.leader === leader && !each.isr.includes(nodeId))
    for (let from = 0; from < led.length; from += 1_000) {
      const proposed = led.slice(from, from + 1_000).map((each) => ({
        ...each,
        isr: [...each.isr.map((member) => ({ ...key(member), brokerEpoch: -1n })), key(nodeId)],
        hasFlushed: false,
        bump: false,
      }))
      run({ type: 'alterPartition', ...key(leader), partitions: proposed })
    }
  }
}

/** Of this thread: on a machine that others use too, the time on the wall says more of them. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}

/** Most and sum of a stage over the batches of a command. */
class Stages {
  readonly #ms = new Map<string, number[]>()
  #fromMs = cpuMs()

  begin(): void {
    this.#fromMs = cpuMs()
  }

  end(name: string): number {
    const ms = cpuMs() - this.#fromMs
    this.#ms.set(name, [...(this.#ms.get(name) ?? []), ms])
    this.begin()
    return ms
  }

  get report(): string {
    const parts = [...this.#ms].map(([name, all]) => {
      const sum = all.reduce((total, ms) => total + ms, 0)
      return `${name} ${Math.max(...all).toFixed(1)} (${sum.toFixed(1)})`
    })
    return parts.join(', ')
  }
}

function timed(what: string, command: Command): void {
  const stages = new Stages()
  let bytes = 0
  let batches = 0
  let held = 0
  for (let isPart = true; isPart; batches++) {
    stages.begin()
    const decision = decide(shadow, command, context())
    if (isRefusal(decision.response)) throw new Error(decision.response.message)
    isPart = decision.isPart ?? false
    let ms = stages.end('decide')
    const { records } = decision
    const payload = encodeMetadataRecords(records, writtenLevel(shadow, records))
    ms += stages.end('encode')
    replayAll(shadow, records)
    held = Math.max(held, ms + stages.end('replay'))
    const decoded = decodeMetadataRecords(payload)
    ms = stages.end('decode')
    replayAll(copy, decoded)
    held = Math.max(held, ms + stages.end('replay of it'))
    bytes += payload.length
  }
  console.log(`${what}: at most ${held.toFixed(1)} ms at once; ${batches} batches, ${bytes} bytes`)
  console.log(`  ${stages.report}`)
}

function snapshot(): void {
  const stages = new Stages()
  const records = imageRecords(copy)
  stages.end('records')
  const state = encodeMetadataRecords(records, writtenLevel(copy, []))
  stages.end('encode')
  const decoded = decodeMetadataRecords(state)
  stages.end('decode')
  restoreImage(emptyImage(), decoded)
  stages.end('restore')
  cloneImage(copy)
  stages.end('clone')
  console.log(`snapshot: ${state.length} bytes\n  ${stages.report}`)
}

for (const nodeId of brokers) run(registration(nodeId, 0))
for (const nodeId of brokers) run({ type: 'unfenceBroker', ...key(nodeId) })
createTopics()
console.log(`${topics} topics of ${partitions} partitions on ${brokers.length} brokers`)
timed('fence', { type: 'fenceBroker', ...key(3), cause: 'connection lost' })
timed('register', registration(3, 1))
timed('unfence', { type: 'unfenceBroker', ...key(3) })
rejoin(3)
timed('register while it is not fenced', registration(3, 2))
timed('unfence again', { type: 'unfenceBroker', ...key(3) })
rejoin(3)
timed('controlled shutdown', { type: 'controlledShutdown', ...key(3) })
timed('fence of the second', { type: 'fenceBroker', ...key(2), cause: 'session timeout' })
timed('fence of the third', { type: 'fenceBroker', ...key(1), cause: 'session timeout' })
timed('unfence of the last', { type: 'unfenceBroker', ...key(1) })
snapshot()
