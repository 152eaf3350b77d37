// Three processes that decide together (replication.md F2): each of them takes commands, and what was acknowledged is there after
// all of them were killed at once, in whatever order they come back.
import { connect } from '@naru/client'
import { expect, it } from 'vitest'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { auditCreations } from '../support/creation-audit.ts'
import { eventually, within } from '../support/eventually.ts'
import { startCluster } from '../support/reported-cluster.ts'
import { TopicCreators } from '../support/topic-creators.ts'

const isLong = process.env['NARU_QUORUM_ROUNDS'] !== undefined
const orders = [
  [1, 2, 3],
  [3, 1, 2],
  ...(isLong
    ? [
        [1, 3, 2],
        [2, 1, 3],
        [2, 3, 1],
        [3, 2, 1],
      ]
    : []),
]

it('forms a quorum of three, and each of them takes commands', async () => {
  await using cluster = await startCluster()
  const controller = await cluster.controller()
  for (const broker of cluster.brokers) {
    await using client = await connect(broker.bootstrap)
    await client.admin.createTopic(`made-at-${broker.id}`)
  }
  const names = cluster.brokers.map(({ id }) => `made-at-${id}`)
  for (const broker of cluster.brokers) {
    const shown = await eventually('a broker shows all topics', async () => {
      const topics = await cluster.topicsSeenBy(broker)
      return topics !== undefined && topics.length >= names.length ? topics : undefined
    })
    expect(shown.map(({ name }) => name).sort()).toEqual(names)
    const quorum = await cluster.quorumSeenBy(broker)
    expect(quorum?.leaderId).toBe(controller.id)
    expect(quorum?.currentVoters.map(({ replicaId }) => replicaId).sort()).toEqual([1, 2, 3])
  }
})

it.each(['controller', 'follower'])(
  'a %s that stops waits only until the others know',
  async (role) => {
    await using cluster = await startCluster()
    const controller = await cluster.controller()
    const [follower] = cluster.others(controller) as [ClusterBroker]
    const leaver = role === 'controller' ? controller : follower
    // Sooner than it would give up waiting.
    expect(await within(8_000, 'a clean stop', leaver.stop())).toBe(0)
    await cluster.controller()
  },
)

it('waits for a majority, and says for whom', async () => {
  await using cluster = await startCluster()
  await cluster.killAll()
  const [first, second] = cluster.brokers
  first?.launch()
  await first?.process.logged('metadata-waits-for-controller')
  expect(first?.process.events('broker-ready')).toEqual([])
  second?.launch()
  await Promise.all([first?.ready(), second?.ready()])
})

it.each(orders)(
  'keeps what was acknowledged when all are killed and come back as %i, %i, %i',
  async (...order) => {
    await using cluster = await startCluster()
    await using creators = new TopicCreators(cluster.brokers)
    await creators.more(60)
    await cluster.killAll()
    for (const id of order) {
      const { process } = { process: cluster.broker(id).launch() }
      await eventually('a process has said something', () => process.log.length > 0 || undefined)
    }
    await Promise.all(cluster.brokers.map((broker) => broker.ready()))
    await creators.more(60)
    expect(await auditCreations(cluster, await creators.stop())).toEqual([])
  },
)
