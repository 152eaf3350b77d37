// Who votes is changed while everybody works (replication.md F10, F20), with the commands that the documentation names.
import { expect, it } from 'vitest'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { auditCreations } from '../support/creation-audit.ts'
import { eventually } from '../support/eventually.ts'
import { naru } from '../support/naru.ts'
import { startCluster } from '../support/reported-cluster.ts'
import type { TestCluster } from '../support/test-cluster.ts'
import { TopicCreators } from '../support/topic-creators.ts'

it('replaces a voter by a fresh one under load', async () => {
  await using cluster = await startCluster()
  const controller = await cluster.controller()
  const [leaver] = cluster.others(controller) as [ClusterBroker]
  await using creators = new TopicCreators([...cluster.brokers])
  await creators.more(20)

  const fresh = await cluster.add(4)
  await fresh.start()
  await followed(cluster, controller, 4)
  await quorum(controller, 'add', '4')
  await voters(cluster, controller, [1, 2, 3, 4])
  await creators.more(20)
  await quorum(controller, 'remove', String(leaver.id), '--yes')
  await voters(
    cluster,
    controller,
    [1, 2, 3, 4].filter((id) => id !== leaver.id),
  )
  await creators.more(20)

  // Two of the three that vote now are a majority, and the fresh one is among them.
  await leaver.stop()
  await controller.kill()
  const next = await cluster.controller()
  await creators.more(20)
  await controller.start()
  await leaver.start()
  await voters(
    cluster,
    next,
    [1, 2, 3, 4].filter((id) => id !== leaver.id),
  )
  expect(await auditCreations(cluster, await creators.stop())).toEqual([])
}, 180_000)

it('removes the controller from the voters under load', async () => {
  await using cluster = await startCluster()
  const controller = await cluster.controller()
  await using creators = new TopicCreators(cluster.brokers)
  await creators.more(20)
  await quorum(controller, 'remove', String(controller.id), '--yes')
  const others = cluster.others(controller)
  const next = await cluster.controller({ among: others })
  await voters(
    cluster,
    next,
    others.map(({ id }) => id),
  )
  await creators.more(20)
  await quorum(next, 'add', String(controller.id))
  await voters(cluster, next, [1, 2, 3])
  await creators.more(20)
  expect(await auditCreations(cluster, await creators.stop())).toEqual([])
}, 180_000)

it.each([1, 3])(
  'takes node %i with an empty disk back only when it is told to',
  async (id) => {
    await using cluster = await startCluster()
    const lost = cluster.broker(id)
    const others = cluster.others(lost)
    await using creators = new TopicCreators(others)
    await creators.more(20)
    const before = await directoryOf(cluster, await cluster.controller(), id)
    await lost.kill()
    lost.wipe()
    await creators.more(20)
    await lost.start()
    const controller = await cluster.controller()
    await followed(cluster, controller, id)
    // It copies the log, and its vote still belongs to the disk that is gone.
    expect(await directoryOf(cluster, controller, id)).toBe(before)
    await creators.more(20)

    await quorum(controller, 'remove', String(id), '--yes')
    await quorum(controller, 'add', String(id))
    await voters(cluster, controller, [1, 2, 3])
    expect(await directoryOf(cluster, controller, id)).not.toBe(before)
    // Now it makes up a majority with one of the others.
    const [other] = others as [ClusterBroker]
    await other.kill()
    await creators.more(20)
    await other.start()
    expect(await auditCreations(cluster, await creators.stop())).toEqual([])
  },
  180_000,
)

async function quorum(at: ClusterBroker, ...args: string[]): Promise<void> {
  const ended = await naru(['quorum', ...args, '--bootstrap-server', at.bootstrap])
  if (ended.code !== 0) throw new Error(`naru quorum ${args.join(' ')}: ${JSON.stringify(ended)}`)
}

/** Resolves when a node that does not vote has the log. */
async function followed(cluster: TestCluster, at: ClusterBroker, id: number): Promise<void> {
  await eventually(`node ${id} follows`, async () => {
    const found = await cluster.quorumSeenBy(at)
    const observer = found?.observers.find(({ replicaId }) => replicaId === id)
    return (observer !== undefined && observer.logEndOffset > 0n) || undefined
  })
}

async function voters(cluster: TestCluster, at: ClusterBroker, ids: number[]): Promise<void> {
  await eventually(`the voters are ${ids.join(', ')}`, async () => {
    const found = await cluster.quorumSeenBy(at)
    const now = found?.currentVoters.map(({ replicaId }) => replicaId).sort()
    return now?.join() === ids.join() || undefined
  })
}

async function directoryOf(cluster: TestCluster, at: ClusterBroker, id: number) {
  const found = await cluster.quorumSeenBy(at)
  return found?.currentVoters.find(({ replicaId }) => replicaId === id)?.replicaDirectoryId
}
