// Networks that break between brokers (replication.md F14, F15, F17): progress where a majority can talk, none elsewhere, and one
// truth when the network is whole again.
import { expect, it } from 'vitest'
import { auditCreations } from '../support/creation-audit.ts'
import { eventually } from '../support/eventually.ts'
import { startCluster } from '../support/reported-cluster.ts'
import type { TestCluster } from '../support/test-cluster.ts'
import { TopicCreators } from '../support/topic-creators.ts'

const isLong = process.env['NARU_QUORUM_ROUNDS'] !== undefined
/** Creations that the majority makes while the network is broken. */
const whileBroken = isLong ? 300 : 40

it.each([
  ['neither speaks nor hears', 'both', false],
  ['speaks in vain', 'speaks', false],
  ['hears nothing', 'hears', false],
  ['lost its connections and gets no others', 'both', true],
] as const)(
  'goes on without a controller that %s',
  async (title, what, isReset) => {
    await using cluster = await startCluster({ hasProxies: true })
    const old = await cluster.controller()
    const others = cluster.others(old)
    // Whoever has forwarded something to the old one is answered long before it gives up by itself.
    await using majority = new TopicCreators(others, { prefix: 'majority', silenceMs: 20_000 })
    await majority.more(20)

    cluster.network.isolate(old.id, what)
    if (isReset) cluster.network.reset()
    const cutMs = performance.now()
    await using minority = new TopicCreators([old], { prefix: 'minority', clients: 2 })
    const next = await cluster.controller({ among: others })
    expect(next.id).not.toBe(old.id)
    const gapMs = await majority.acknowledgedAfter(cutMs, 10_000)
    console.log(`controller that ${title}: next creation after ${Math.round(gapMs)} ms`)
    await majority.more(whileBroken)
    expect(minority.creations.length).toBeGreaterThan(0)
    expect(minority.acknowledged).toBe(0)

    cluster.network.heal()
    await Promise.all([majority.more(20), minority.more(5)])
    await agreement(cluster)
    const creations = [...(await majority.stop()), ...(await minority.stop())]
    expect(await auditCreations(cluster, creations)).toEqual([])
  },
  180_000,
)

it('keeps its controller when only one follower cannot talk to it', async () => {
  await using cluster = await startCluster({ hasProxies: true })
  const controller = await cluster.controller()
  const [cut, near] = cluster.others(controller)
  if (cut === undefined || near === undefined) throw new Error('Three brokers are needed')
  await using creators = new TopicCreators([controller, near])
  await creators.more(20)
  const term = (await cluster.quorumSeenBy(controller))?.leaderEpoch
  cluster.network.cut(controller.id, cut.id)
  cluster.network.cut(cut.id, controller.id)
  await creators.more(whileBroken)
  const now = await cluster.quorumSeenBy(controller)
  expect(now).toMatchObject({ leaderId: controller.id, leaderEpoch: term })
  cluster.network.heal()
  await agreement(cluster)
  expect(await auditCreations(cluster, await creators.stop())).toEqual([])
}, 180_000)

it('goes on while connections break again and again', async () => {
  await using cluster = await startCluster({ hasProxies: true })
  await using creators = new TopicCreators(cluster.brokers)
  for (const { id } of cluster.brokers) {
    for (const other of cluster.brokers) {
      if (other.id !== id) cluster.network.delay(id, other.id, 5)
    }
  }
  for (let round = 0; round < (isLong ? 50 : 8); round++) {
    await creators.more(10)
    cluster.network.reset()
  }
  await creators.more(20)
  await agreement(cluster)
  expect(await auditCreations(cluster, await creators.stop())).toEqual([])
}, 300_000)

async function agreement(cluster: TestCluster): Promise<void> {
  await eventually('all brokers name one controller', async () => {
    const named = await Promise.all(cluster.brokers.map((each) => cluster.controllerSeenBy(each)))
    return (new Set(named).size === 1 && (named[0] ?? -1) > 0) || undefined
  })
}
