// Leaders are killed while records are written (replication.md P1 to P3, F1): what was acknowledged is there in the end, once and in
// order, and writes go on. NARU_REPLICATION_ROUNDS=200 for the long run; the times are printed, never asserted.
import { connect } from '@naru/client'
import { expect, it } from 'vitest'
import { AckRecorder } from '../support/ack-recorder.ts'
import type { Acknowledgements } from '../support/acknowledgements.ts'
import { histogram } from '../support/creation-audit.ts'
import { JavaSender } from '../support/java-sender.ts'
import { hasJavaTools } from '../support/java-tools.ts'
import { auditRecords } from '../support/record-audit.ts'
import {
  createReplicated,
  differingReplicas,
  leaderOf,
  untilWhole,
} from '../support/replicated-topic.ts'
import { startCluster } from '../support/reported-cluster.ts'
import { SteadySender } from '../support/steady-sender.ts'
import type { TestCluster } from '../support/test-cluster.ts'

const rounds = Number(process.env['NARU_REPLICATION_ROUNDS'] ?? 3)
const partitions = 3

interface Gap {
  readonly ms: number
  readonly isController: boolean
}

/** From the kill of a leader until the next acknowledgement; afterwards it is back and in sync. */
async function gapOfKill(cluster: TestCluster, topic: string, acknowledged: Acknowledgements) {
  await acknowledged.more(50)
  const leader = await leaderOf(cluster, topic)
  const isController = (await cluster.controller()) === leader
  const killedMs = performance.now()
  await leader.kill()
  const ms = (await acknowledged.after(killedMs)) - killedMs
  await leader.start()
  await untilWhole(cluster, topic)
  return { ms, isController }
}

function tell(client: string, gaps: readonly Gap[]): void {
  for (const isController of [false, true]) {
    const own = gaps.filter((gap) => gap.isController === isController).map(({ ms }) => ms)
    const whom = isController ? 'a leader that is the controller' : 'a leader'
    if (own.length > 0) console.log(histogram(`kill of ${whom} to next answer (${client})`, own))
  }
}

it(`keeps every acknowledged record over ${rounds} kills of a leader`, async () => {
  await using cluster = await startCluster()
  await createReplicated(cluster, 'load', partitions)
  await createReplicated(cluster, 'steady', 1)
  await using client = await connect(cluster.bootstrap, { retryMs: 20_000 })
  const recorder = new AckRecorder(client, { topic: 'load', partitions })
  recorder.start()
  await using sender = await SteadySender.start(cluster.bootstrap, 'steady')
  const gaps: Gap[] = []
  for (let round = 0; round < rounds; round++) {
    await recorder.until(recorder.acknowledged + 300 + 77 * (round % 7))
    gaps.push(await gapOfKill(cluster, 'steady', sender.acknowledged))
    await untilWhole(cluster, 'load')
  }
  await recorder.until(recorder.acknowledged + 300)
  const sent = await recorder.stop()
  await sender.stop()
  tell('kafkajs', gaps)
  expect(await auditRecords(cluster.bootstrap, 'load', sent)).toEqual([])
  expect(await sender.acknowledged.lost(cluster.bootstrap)).toEqual([])
  await untilWhole(cluster, 'load')
  expect(await differingReplicas(cluster, 'load')).toEqual([])
}, 3_600_000)

it.skipIf(!hasJavaTools())(
  `is soon written to by Java again, ${rounds} times`,
  async () => {
    await using cluster = await startCluster()
    await createReplicated(cluster, 'steady', 1)
    await using sender = new JavaSender(cluster.bootstrap, 'steady')
    const gaps: Gap[] = []
    for (let round = 0; round < rounds; round++) {
      gaps.push(await gapOfKill(cluster, 'steady', sender.acknowledged))
    }
    await sender.stop()
    tell('VerifiableProducer', gaps)
    expect(await sender.acknowledged.lost(cluster.bootstrap)).toEqual([])
  },
  3_600_000,
)

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
