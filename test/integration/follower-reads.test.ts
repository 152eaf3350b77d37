// Consumers that read from a follower in their rack (KIP-392), over raw sockets: which broker answers is the question.
import { kafkaErrors } from '@naru/model'
import { apis, type ResponseOf } from '@naru/protocol'
import { batchesOf, readBatchHeader } from '@naru/records'
import { expect, it } from 'vitest'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { eventually } from '../support/eventually.ts'
import { rackOf, startRacks } from '../support/racks.ts'
import { leaderOf, partitionsOf, untilWhole } from '../support/replicated-topic.ts'
import { batch, fetch, produce } from '../support/requests.ts'
import type { TestCluster } from '../support/test-cluster.ts'
import { WireClient } from '../support/wire-client.ts'

const topic = 'near'
/** The last one with topics by name. */
const fetchVersion = 12
const produceVersion = 9
/** Longer than anything that is waited for here. */
const longMs = 60_000
const { NONE, NOT_LEADER_OR_FOLLOWER, OFFSET_NOT_AVAILABLE, OFFSET_OUT_OF_RANGE } = kafkaErrors
const { FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH } = kafkaErrors

type Fetched = ResponseOf<typeof apis.fetch>['responses'][number]['partitions'][number]

interface Wanted {
  readonly fetchOffset?: bigint
  readonly rackId?: string
  readonly maxWaitMs?: number
  readonly currentLeaderEpoch?: number
  readonly isolationLevel?: number
}

/** What one broker says of the partition; undefined where it does not answer. */
async function read(
  broker: ClusterBroker,
  { fetchOffset = 0n, currentLeaderEpoch = -1, ...fields }: Wanted,
  version = fetchVersion,
): Promise<Fetched | undefined> {
  const request = fetch([{ topic, fetchOffset, currentLeaderEpoch }], fields)
  await using client = new WireClient(broker.bootstrap, { silenceMs: longMs / 2 })
  const answer = await client.ask(apis.fetch, version, request).catch(() => undefined)
  return typeof answer === 'object' ? answer.responses[0]?.partitions[0] : undefined
}

const countOf = (fetched: Fetched | undefined) => [...batchesOf(fetched?.records ?? empty)].length
const empty = Buffer.alloc(0)

async function write(broker: ClusterBroker, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const request = produce([{ topic, records: batch([`value ${index}`]) }])
    const answer = await broker.ask(apis.produce, produceVersion, request)
    expect(answer?.responses[0]?.partitionResponses[0]?.errorCode).toBe(NONE.code)
  }
}

/** A consumer as Kafka's are: it goes where it is sent, and back to the leader when it is refused there or hears nothing. */
class RackConsumer {
  readonly #cluster: TestCluster
  readonly #rackId: string
  #preferred: ClusterBroker | undefined
  position = 0n
  /** Batches by the id of the broker that gave them. */
  readonly given = new Map<number, number>()

  constructor(cluster: TestCluster, rackId: string) {
    this.#cluster = cluster
    this.#rackId = rackId
  }

  async poll(): Promise<void> {
    const broker = this.#preferred ?? (await leaderOf(this.#cluster, topic))
    const { position: fetchOffset } = this
    const fetched = await read(broker, { fetchOffset, rackId: this.#rackId, maxWaitMs: 300 })
    if (fetched === undefined || fetched.errorCode !== NONE.code) {
      this.#preferred = undefined
      return
    }
    if (fetched.preferredReadReplica >= 0) {
      expect(fetched.records?.length ?? 0).toBe(0)
      this.#preferred = this.#cluster.broker(fetched.preferredReadReplica)
    }
    for (const bytes of batchesOf(fetched.records ?? empty)) {
      const { baseOffset, lastOffset } = readBatchHeader(bytes)
      expect(baseOffset).toBe(this.position)
      this.position = lastOffset + 1n
      this.given.set(broker.id, (this.given.get(broker.id) ?? 0) + 1)
    }
  }

  /** Polls until it has everything below `offset`. */
  async until(offset: bigint): Promise<void> {
    await eventually(`a consumer in ${this.#rackId} is at ${offset}`, async () => {
      await this.poll()
      return this.position >= offset ? true : undefined
    })
  }
}

it('a consumer reads from the follower in its rack, and goes on when that dies and when it comes back', async () => {
  await using cluster = await startRacks(topic)
  const leader = await leaderOf(cluster, topic)
  const [near] = cluster.others(leader) as [ClusterBroker]
  await write(leader, 20)
  const consumer = new RackConsumer(cluster, rackOf(near))
  await consumer.until(20n)
  expect([...consumer.given.keys()]).toEqual([near.id])
  await near.kill()
  await write(leader, 20)
  await consumer.until(40n)
  expect([...consumer.given.keys()]).not.toContain(
    cluster.others(leader).find((each) => each !== near)?.id,
  )
  expect(consumer.given.get(leader.id)).toBe(20)
  await near.start()
  await untilWhole(cluster, topic)
  const before = consumer.given.get(near.id) ?? 0
  await eventually('the follower is chosen again', async () => {
    const leading = await leaderOf(cluster, topic)
    await write(leading, 1)
    await consumer.poll()
    return (consumer.given.get(near.id) ?? 0) > before || undefined
  })
}, 120_000)

it('a leader sends nobody away who is as near to it, or too old to go', async () => {
  await using cluster = await startRacks(topic)
  const leader = await leaderOf(cluster, topic)
  const [near] = cluster.others(leader) as [ClusterBroker]
  await write(leader, 1)
  const sentTo = async (rackId: string, version = fetchVersion) =>
    (await read(leader, { rackId }, version))?.preferredReadReplica
  expect(await read(leader, { rackId: rackOf(near), isolationLevel: 1 })).toMatchObject({
    errorCode: NONE.code,
    preferredReadReplica: near.id,
    records: empty,
    // Nobody looked for them.
    abortedTransactions: null,
  })
  for (const rackId of ['', 'elsewhere', rackOf(leader)]) expect(await sentTo(rackId)).toBe(-1)
  expect(countOf(await read(leader, { rackId: rackOf(near) }, 10))).toBe(1)
  expect((await read(near, {}, 10))?.errorCode).toBe(NOT_LEADER_OR_FOLLOWER.code)
  expect(countOf(await read(near, {}, 11))).toBe(1)
}, 120_000)

it('a follower gives what is committed, and nothing above it', async () => {
  await using cluster = await startRacks(topic)
  const leader = await leaderOf(cluster, topic)
  const [near, far] = cluster.others(leader) as [ClusterBroker, ClusterBroker]
  await write(leader, 5)
  const start = await eventually('the follower has heard', async () => {
    const fetched = await read(near, { isolationLevel: 1 })
    return fetched?.highWatermark === 5n ? fetched : undefined
  })
  expect(start).toMatchObject({ lastStableOffset: 5n, logStartOffset: 0n })
  expect(countOf(start)).toBe(5)
  expect((await read(near, { fetchOffset: 6n }))?.errorCode).toBe(OFFSET_OUT_OF_RANGE.code)
  // A member of the in-sync set stands still: what is written now is in this follower's log, and not committed.
  await far.pause()
  await using producer = new WireClient(leader.bootstrap, { silenceMs: longMs / 2 })
  const request = produce([{ topic, records: batch(['not yet']) }], { timeoutMs: longMs })
  const written = producer.ask(apis.produce, produceVersion, request)
  const waiting = read(near, { fetchOffset: 5n, maxWaitMs: longMs })
  const { highWatermark, records } = (await read(near, {})) as Fetched
  expect([highWatermark, countOf({ records } as Fetched)]).toEqual([5n, 5])
  await eventually('the follower has it in its log', async () =>
    (await read(near, { fetchOffset: 6n }))?.errorCode === OFFSET_NOT_AVAILABLE.code
      ? true
      : undefined,
  )
  expect(countOf(await read(near, {}))).toBe(5)
  // The one that stands still is out of sync before long.
  await written
  const woken = await waiting
  expect([woken?.errorCode, woken?.highWatermark, countOf(woken)]).toEqual([NONE.code, 6n, 1])
  await far.resume()
}, 120_000)

it('who waits at a follower is told at once when its leader is another, or it follows no more', async () => {
  await using cluster = await startRacks(topic)
  const leader = await leaderOf(cluster, topic)
  const [near, far] = cluster.others(leader) as [ClusterBroker, ClusterBroker]
  await write(leader, 1)
  const shown = (await partitionsOf(cluster, topic))?.[0]
  const currentLeaderEpoch = shown?.leaderEpoch ?? -1
  const later = await read(near, { currentLeaderEpoch: currentLeaderEpoch + 1 })
  expect(later?.errorCode).toBe(UNKNOWN_LEADER_EPOCH.code)
  const waiting = { fetchOffset: 1n, maxWaitMs: longMs }
  const ofThisEpoch = read(near, { ...waiting, currentLeaderEpoch })
  const moved = read(near, waiting)
  await leader.kill()
  expect((await ofThisEpoch)?.errorCode).toBe(FENCED_LEADER_EPOCH.code)
  const successor = await leaderOf(cluster, topic)
  await write(successor, 1)
  expect(countOf(await moved)).toBe(1)

  await leader.start()
  await untilWhole(cluster, topic)
  const left = cluster.others(successor).find((each) => each !== far) as ClusterBroker
  const removed = read(left, { ...waiting, fetchOffset: 2n })
  const replicas = cluster.brokers.filter((each) => each !== left).map(({ id }) => id)
  const topics = [{ name: topic, partitions: [{ partitionIndex: 0, replicas }] }]
  const limits = { timeoutMs: 10_000, allowReplicationFactorChange: true }
  await successor.ask(apis.alterPartitionReassignments, 1, { ...limits, topics })
  expect((await removed)?.errorCode).toBe(NOT_LEADER_OR_FOLLOWER.code)
}, 120_000)
