// What replicated partitions do when brokers stand still, stop in order, or are too few (replication.md 4).
import { connect } from '@naru/client'
import { kafkaErrors } from '@naru/model'
import { apis } from '@naru/protocol'
import { expect, it } from 'vitest'
import { AckRecorder } from '../support/ack-recorder.ts'
import { eventually } from '../support/eventually.ts'
import { auditRecords } from '../support/record-audit.ts'
import {
  createReplicated,
  differingReplicas,
  leaderOf,
  untilWhole,
} from '../support/replicated-topic.ts'
import { startCluster } from '../support/reported-cluster.ts'
import { batch, produce } from '../support/requests.ts'
import { SteadySender } from '../support/steady-sender.ts'

const produceVersion = 9

it('goes on without a leader that stands still, and takes nothing that this one has not committed', async () => {
  await using cluster = await startCluster()
  await createReplicated(cluster, 'load', 1)
  await using client = await connect(cluster.bootstrap, { retryMs: 20_000 })
  const recorder = new AckRecorder(client, { topic: 'load', partitions: 1 })
  recorder.start()
  await recorder.until(300)
  const leader = await leaderOf(cluster, 'load')
  await leader.pause()
  const successor = await leaderOf(cluster, 'load')
  expect(successor).not.toBe(leader)
  await leader.resume()
  await recorder.until(recorder.acknowledged + 300)
  const sent = await recorder.stop()
  await untilWhole(cluster, 'load')
  expect(await auditRecords(cluster.bootstrap, 'load', sent)).toEqual([])
  expect(await differingReplicas(cluster, 'load')).toEqual([])
}, 120_000)

it('hands leaderships over before a broker stops in order', async () => {
  await using cluster = await startCluster()
  await createReplicated(cluster, 'steady', 3)
  await using sender = await SteadySender.start(cluster.bootstrap, 'steady')
  for (const broker of cluster.brokers) {
    await sender.acknowledged.more(100)
    expect(await broker.stop()).toBe(0)
    await sender.acknowledged.more(50)
    await broker.start()
    await untilWhole(cluster, 'steady')
  }
  await sender.stop()
  expect(sender.failed).toBe(0)
  expect(await sender.acknowledged.lost(cluster.bootstrap)).toEqual([])
}, 180_000)

it('refuses acks=all where too few replicas are in sync, and takes acks=1', async () => {
  await using cluster = await startCluster({ settings: { 'min.insync.replicas': '3' } })
  await createReplicated(cluster, 'few', 1)
  const leader = await leaderOf(cluster, 'few')
  const errorOf = async (acks: number) => {
    const records = batch(['x'])
    const request = produce([{ topic: 'few', records }], { acks, timeoutMs: 1_000 })
    const answer = await leader.ask(apis.produce, produceVersion, request)
    return answer?.responses[0]?.partitionResponses[0]?.errorCode
  }
  const until = (code: number) =>
    eventually(`acks=all is answered with ${code}`, async () =>
      (await errorOf(-1)) === code ? true : undefined,
    )
  await until(kafkaErrors.NONE.code)
  const [other] = cluster.others(leader)
  await other?.kill()
  await until(kafkaErrors.NOT_ENOUGH_REPLICAS.code)
  expect(await errorOf(1)).toBe(kafkaErrors.NONE.code)
  await other?.start()
  await until(kafkaErrors.NONE.code)
  await Promise.all(cluster.others(leader).map((each) => each.kill()))
  // Without a quorum nobody can say who is in sync: what others would have to have is not acknowledged.
  expect(await errorOf(-1)).toBe(kafkaErrors.REQUEST_TIMED_OUT.code)
}, 120_000)

it('fills a replica again whose disk was lost, while others are written to', async () => {
  await using cluster = await startCluster()
  await createReplicated(cluster, 'load', 3)
  await using client = await connect(cluster.bootstrap, { retryMs: 20_000 })
  const recorder = new AckRecorder(client, { topic: 'load', partitions: 3 })
  recorder.start()
  await recorder.until(500)
  const broker = cluster.broker(2)
  await broker.kill()
  broker.wipe()
  await recorder.until(recorder.acknowledged + 300)
  await broker.start()
  await untilWhole(cluster, 'load')
  await recorder.until(recorder.acknowledged + 300)
  const sent = await recorder.stop()
  await untilWhole(cluster, 'load')
  expect(await auditRecords(cluster.bootstrap, 'load', sent)).toEqual([])
  expect(await differingReplicas(cluster, 'load')).toEqual([])
}, 120_000)
