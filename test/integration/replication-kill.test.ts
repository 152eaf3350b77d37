// Leaders are killed while records are written (replication.md P1 to P3, F1): what was acknowledged is there in the end, once and in
// order, and writes go on. NARU_REPLICATION_ROUNDS=200 for the long run; the times are printed, never asserted.
import { connect } from '@naru/client'
import { expect, it } from 'vitest'
import { AckRecorder } from '../support/ack-recorder.ts'
import { histogram } from '../support/creation-audit.ts'
import { auditRecords } from '../support/record-audit.ts'
import {
  createReplicated,
  differingReplicas,
  leaderOf,
  untilWhole,
} from '../support/replicated-topic.ts'
import { startCluster } from '../support/reported-cluster.ts'
import { SteadySender } from '../support/steady-sender.ts'

const rounds = Number(process.env['NARU_REPLICATION_ROUNDS'] ?? 3)
const partitions = 3

it(`keeps every acknowledged record over ${rounds} kills of a leader`, async () => {
  await using cluster = await startCluster()
  await createReplicated(cluster, 'load', partitions)
  await createReplicated(cluster, 'steady', 1)
  await using client = await connect(cluster.bootstrap, { retryMs: 20_000 })
  const recorder = new AckRecorder(client, { topic: 'load', partitions })
  recorder.start()
  await using sender = await SteadySender.start(cluster.bootstrap, 'steady')
  const gaps: number[] = []
  for (let round = 0; round < rounds; round++) {
    await recorder.until(recorder.acknowledged + 300 + 77 * (round % 7))
    await sender.more(50)
    const leader = await leaderOf(cluster, 'steady')
    const killedMs = performance.now()
    await leader.kill()
    gaps.push((await sender.acknowledgedAfter(killedMs)) - killedMs)
    await leader.start()
    await untilWhole(cluster, 'steady')
    await untilWhole(cluster, 'load')
  }
  await recorder.until(recorder.acknowledged + 300)
  const sent = await recorder.stop()
  const steady = await sender.stop()
  console.log(histogram('kill of a leader to next acknowledgement (kafkajs)', gaps))
  expect(await auditRecords(cluster.bootstrap, 'load', sent)).toEqual([])
  expect(await steady.lost(cluster.bootstrap)).toEqual([])
  await untilWhole(cluster, 'load')
  expect(await differingReplicas(cluster, 'load')).toEqual([])
}, 3_600_000)

it('keeps every acknowledged record when all brokers are killed at once', async () => {
  await using cluster = await startCluster()
  await createReplicated(cluster, 'load', partitions)
  await using client = await connect(cluster.bootstrap, { retryMs: 30_000 })
  const recorder = new AckRecorder(client, { topic: 'load', partitions })
  recorder.start()
  for (let round = 0; round < 2; round++) {
    await recorder.until(recorder.acknowledged + 500)
    await cluster.killAll()
    await cluster.startAll()
  }
  await recorder.until(recorder.acknowledged + 300)
  const sent = await recorder.stop()
  await untilWhole(cluster, 'load')
  expect(await auditRecords(cluster.bootstrap, 'load', sent)).toEqual([])
  expect(await differingReplicas(cluster, 'load')).toEqual([])
}, 600_000)
