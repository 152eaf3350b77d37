// The controller is killed again and again while topics are created (replication.md F1): each acknowledged creation is there in the
// end, once, and none that was refused. NARU_QUORUM_ROUNDS=100 for the long run; the times are printed, never asserted.
import { expect, it } from 'vitest'
import { auditCreations, histogram } from '../support/creation-audit.ts'
import { startCluster } from '../support/reported-cluster.ts'
import { TopicCreators } from '../support/topic-creators.ts'

const rounds = Number(process.env['NARU_QUORUM_ROUNDS'] ?? 3)

it(`keeps every acknowledged creation over ${rounds} kills of the controller`, async () => {
  await using cluster = await startCluster()
  await using creators = new TopicCreators(cluster.brokers)
  const gaps: number[] = []
  for (let round = 0; round < rounds; round++) {
    await creators.more(20 + 7 * (round % 5))
    const controller = await cluster.controller()
    const killedMs = performance.now()
    await controller.kill()
    gaps.push(await creators.acknowledgedAfter(killedMs))
    await creators.more(10)
    await controller.start()
  }
  await creators.more(20)
  const creations = await creators.stop()
  const kinds = Map.groupBy(creations, ({ outcome }) => outcome.kind)
  const counts = [...kinds].map(([kind, own]) => `${own.length} ${kind}`)
  console.log(`${histogram('kill of the controller to next creation', gaps)}\n${counts.join(', ')}`)
  expect(await auditCreations(cluster, creations)).toEqual([])
}, 3_600_000)
