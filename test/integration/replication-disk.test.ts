// One of two log directories of a broker takes no write any more (replication.md F7): its partitions are led elsewhere, the broker
// goes on with the others, and clients notice nothing. Needs the right to mount a disk that can be filled.
import { expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import { createReplicated, partitionsOf } from '../support/replicated-topic.ts'
import { prepareCluster } from '../support/reported-cluster.ts'
import { SmallDisk } from '../support/small-disk.ts'
import { SteadySender } from '../support/steady-sender.ts'

const diskMb = 64
const partitions = 6

it('goes on without a log directory that is full', async (context) => {
  using disk = SmallDisk.mount(diskMb)
  if (disk === undefined) return context.skip('nothing may be mounted here')
  await using cluster = await prepareCluster()
  const broker = cluster.broker(1)
  broker.settings.set('log.dirs', `${broker.dataDirectory},${disk.path}`)
  await cluster.startAll()
  await createReplicated(cluster, 'steady', partitions)
  await using sender = await SteadySender.start(cluster.bootstrap, 'steady')
  await sender.acknowledged.more(100)

  disk.fill()
  const left = await eventually('broker 1 has left some partitions, and only those', async () => {
    const shown = await partitionsOf(cluster, 'steady')
    const offline = shown?.filter(({ offlineReplicas }) => offlineReplicas.includes(1)) ?? []
    const isOut = offline.every(({ leaderId, isrNodes }) => leaderId > 1 && !isrNodes.includes(1))
    return offline.length > 0 && isOut ? offline : undefined
  })
  expect(left.length).toBeLessThan(partitions)
  await sender.acknowledged.more(200)
  await sender.stop()

  expect(broker.isRunning).toBe(true)
  const shown = (await partitionsOf(cluster, 'steady')) ?? []
  expect(shown.filter(({ isrNodes }) => isrNodes.includes(1))).toHaveLength(
    partitions - left.length,
  )
  expect(sender.failed).toBe(0)
  expect(await sender.acknowledged.lost(cluster.bootstrap)).toEqual([])
}, 120_000)
