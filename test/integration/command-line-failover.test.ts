// Commands about topics while the leader of some partitions is dead or silent, and the cluster has not noticed yet.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { naru } from '../support/naru.ts'
import { TestCluster } from '../support/test-cluster.ts'

let cluster: TestCluster
let victim: ClusterBroker

beforeEach(async () => {
  cluster = await TestCluster.start()
  victim = cluster.others(await cluster.controller())[0] as ClusterBroker
  for (const name of ['kept', 'gone']) {
    const created = await run('topic', 'create', name, '-p', '6', '--replicas', '1')
    expect(created).toMatchObject({ code: 0, stderr: '' })
  }
})

afterEach(async () => {
  await cluster[Symbol.asyncDispose]()
})

function run(...args: readonly string[]) {
  const others = cluster.others(victim).map(({ bootstrap }) => bootstrap)
  return naru([...args, '-b', others.join()])
}

describe.each([
  ['is killed', () => victim.kill()],
  ['stands still', () => victim.pause()],
])(
  'when the leader of some partitions %s',
  (_, strike) => {
    it('topics are described and deleted all the same', async () => {
      await strike()
      const [described, deleted] = await Promise.all([
        run('topic', 'describe', 'kept', '--format', 'json'),
        run('topic', 'delete', 'gone', '--yes'),
      ])
      expect(described).toMatchObject({ code: 0, stderr: '' })
      const { partitions } = JSON.parse(described.stdout).items[0]
      expect(partitions).toHaveLength(6)
      const known = partitions.filter(({ end }: { end: unknown }) => end !== null)
      expect(known).toHaveLength(4)
      expect(deleted).toMatchObject({ code: 0, stderr: '' })
      expect(deleted.stdout).toContain('gone · 6 partitions · at least 0 records')
      expect((await run('topic', 'list', '--format', 'name')).stdout).toBe('kept\n')
    })
  },
  60_000,
)
