// What people get wrong when they write the configuration of several brokers: it is said in the log, and nothing is lost.
import { expect, it } from 'vitest'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { auditCreations } from '../support/creation-audit.ts'
import { eventually } from '../support/eventually.ts'
import { prepareCluster, startCluster } from '../support/reported-cluster.ts'
import { TopicCreators } from '../support/topic-creators.ts'

it('refuses a second process with the id of a broker that lives', async () => {
  await using cluster = await startCluster()
  await using creators = new TopicCreators(cluster.brokers)
  await creators.more(20)
  await using double = await cluster.double(2)
  double.launch()
  expect(await double.ended()).toBe(1)
  expect(double.process.tail).toContain('Each broker of a cluster needs a node.id of its own')
  expect(double.process.tail).not.toContain('.ts:')
  await creators.more(20)
  expect(cluster.brokers.every(({ isRunning }) => isRunning)).toBe(true)
  expect(await auditCreations(cluster, await creators.stop())).toEqual([])
}, 120_000)

it('takes no broker of another cluster', async () => {
  await using cluster = await startCluster()
  await using other = await startCluster({ size: 1 })
  await using creators = new TopicCreators(cluster.brokers)
  await creators.more(20)
  const stranger = other.broker(1)
  await stranger.stop()
  const addresses = cluster.brokers.map(({ internalPort }) => `127.0.0.1:${internalPort}`)
  stranger.settings.set('node.id', '9')
  stranger.settings.delete('controller.quorum.voters')
  stranger.settings.set('controller.quorum.bootstrap.servers', addresses.join(','))
  stranger.launch()
  await eventually('somebody says so', () => {
    const said = [stranger, ...cluster.brokers].flatMap(({ process }) =>
      process.events('peer-of-another-cluster'),
    )
    return said.length > 0 || !stranger.isRunning || undefined
  })
  await creators.more(20)
  const quorum = await cluster.quorumSeenBy(await cluster.controller())
  const known = [...(quorum?.currentVoters ?? []), ...(quorum?.observers ?? [])]
  expect(known.map(({ replicaId }) => replicaId).sort()).toEqual([1, 2, 3])
  expect(await auditCreations(cluster, await creators.stop())).toEqual([])
}, 120_000)

it('does not start a node that the voters have elsewhere, and founds nothing without it', async () => {
  await using cluster = await prepareCluster()
  const [first, second, third] = cluster.brokers as [ClusterBroker, ClusterBroker, ClusterBroker]
  const right = String(first.settings.get('controller.quorum.voters'))
  const at = ({ internalPort }: ClusterBroker) => `127.0.0.1:${internalPort}`
  const wrong = `1@${at(first)},2@${at(third)},3@${at(second)}`
  for (const broker of cluster.brokers) {
    broker.settings.set('controller.quorum.voters', wrong)
    broker.launch()
  }
  for (const broker of [second, third]) {
    expect(await broker.ended()).toBe(2)
    expect(broker.process.log).toContain(`The voters have this node as ${broker.id}@`)
  }
  const said = await first.process.logged('quorum-waits-for-nodes')
  expect(said).toMatchObject({ missing: [2, 3] })
  await first.kill()
  for (const broker of cluster.brokers) broker.settings.set('controller.quorum.voters', right)
  await cluster.startAll()
  await cluster.controller()
}, 120_000)

it('comes together though one node has the others’ addresses wrong', async () => {
  await using cluster = await prepareCluster()
  const [first, second, third] = cluster.brokers as [ClusterBroker, ClusterBroker, ClusterBroker]
  const at = ({ internalPort }: ClusterBroker) => `127.0.0.1:${internalPort}`
  // Those that it has wrong introduce themselves to it, and say where they are.
  first.settings.set('controller.quorum.voters', `1@${at(first)},2@${at(third)},3@${at(second)}`)
  await cluster.startAll()
  const quorum = await cluster.quorumSeenBy(await cluster.controller())
  expect(quorum?.currentVoters.map(({ replicaId }) => replicaId).sort()).toEqual([1, 2, 3])
}, 120_000)

it('says for whom it waits when nobody is at an address of the voters', async () => {
  await using cluster = await prepareCluster()
  const [first, second, third] = cluster.brokers
  first?.launch()
  second?.launch()
  const said = await first?.process.logged('quorum-waits-for-nodes')
  expect(said).toMatchObject({ missing: expect.arrayContaining([3]) })
  third?.launch()
  await Promise.all(cluster.brokers.map((broker) => broker.ready()))
}, 120_000)
