import { beforeEach, describe, expect, it } from 'vitest'
import type { losses } from './lost-replicas.ts'
import { idOf, TestCluster } from './testing/cluster.ts'

let cluster: TestCluster
beforeEach(() => {
  cluster = new TestCluster(1, 2, 3)
})

/** Whether the replica of that broker counts for nothing from now on. */
function report(
  nodeId: number,
  lost: (typeof losses)[number] = 'everything',
  { isStarting = false } = {},
): boolean | undefined {
  const { topicId, partition } = cluster.partition
  const request = { ...cluster.key(nodeId), isStarting, replicas: [{ topicId, partition, lost }] }
  const answer = cluster.accepted({ type: 'reportLostReplicas', ...request })
  return answer.replicas[0]?.isGivenUp
}

describe('a replica that is not complete any more', () => {
  it('leaves the in-sync set', () => {
    cluster.topic([1, 2, 3])
    expect(report(2)).toBe(true)
    expect(cluster.partition).toMatchObject({ leader: 1, isr: [1, 3], elr: [] })
  })

  it('gives up the lead to another in sync', () => {
    cluster.topic([1, 2, 3])
    const { leaderEpoch } = cluster.partition
    expect(report(1)).toBe(true)
    expect(cluster.partition).toMatchObject({
      leader: 2,
      leaderEpoch: leaderEpoch + 1,
      isr: [2, 3],
    })
  })

  it('is not eligible: one that was away is not elected in its place', () => {
    cluster.topic([1, 2], { 'min.insync.replicas': '2' })
    cluster.fence(1)
    cluster.fence(2)
    expect(cluster.partition).toMatchObject({ leader: -1, isr: [], elr: [1, 2] })
    cluster.start(2)
    expect(report(2)).toBe(true)
    cluster.unfence(2)
    expect(cluster.partition).toMatchObject({ leader: -1, isr: [], elr: [1], lastKnownElr: [] })
  })

  it('may be elected uncleanly while it has lost only its end', () => {
    cluster.topic([1, 2], { 'min.insync.replicas': '2' })
    cluster.fence(1, 2)
    cluster.start(2)
    expect(report(2, 'end', { isStarting: true })).toBe(true)
    expect(cluster.partition).toMatchObject({ elr: [1], lastKnownElr: [2] })
  })

  it('is nothing that the leader has heard of in this epoch, in sync or not: the next begins', () => {
    cluster.topic([1, 2, 3])
    cluster.propose([1, 3])
    const { leaderEpoch, partitionEpoch } = cluster.partition
    expect(report(2)).toBe(true)
    expect(cluster.partition).toMatchObject({
      leader: 1,
      leaderEpoch: leaderEpoch + 1,
      isr: [1, 3],
    })
    expect(cluster.propose([1, 2, 3], { leaderEpoch, partitionEpoch })).toBe('74')
  })

  it('ends no leader epoch when it has not followed yet', () => {
    cluster.topic([1, 2, 3])
    cluster.start(2)
    const before = cluster.partition
    expect(report(2, 'everything', { isStarting: true })).toBe(true)
    expect(cluster.partition).toBe(before)
  })
})

describe('the last complete replica', () => {
  it('stays what it was', () => {
    cluster.topic([1])
    const before = cluster.partition
    expect(report(1)).toBe(false)
    expect(report(1, 'end', { isStarting: true })).toBe(false)
    expect(cluster.partition).toBe(before)
  })

  it('stays also when it is empty, and perhaps was never made', () => {
    cluster.topic([1, 2], { 'min.insync.replicas': '2' })
    cluster.fence(1, 2)
    cluster.start(1)
    cluster.start(2)
    expect(report(1, 'unknown', { isStarting: true })).toBe(true)
    expect(report(2, 'unknown', { isStarting: true })).toBe(false)
    expect(cluster.partition.elr).toEqual([2])
  })

  it('leads on though others are eligible that are away', () => {
    cluster.topic([1, 2], { 'min.insync.replicas': '2' })
    cluster.fence(2)
    expect(cluster.partition).toMatchObject({ isr: [1], elr: [2] })
    expect(report(1)).toBe(false)
    expect(cluster.partition).toMatchObject({ leader: 1, isr: [1] })
  })

  it.each(['end', 'everything'] as const)(
    'does not lead when its start finds %s missing: others would cut theirs',
    (lost) => {
      cluster.topic([1, 2], { 'min.insync.replicas': '1' })
      cluster.fence(2, 1)
      cluster.start(1)
      expect(cluster.partition.elr).toEqual([1])
      expect(report(1, lost, { isStarting: true })).toBe(true)
      cluster.unfence(1)
      expect(cluster.partition).toMatchObject({ leader: -1, elr: [] })
    },
  )
})

it('is refused to a process that is not the broker any more', () => {
  cluster.topic([1, 2, 3])
  const key = cluster.key(2)
  cluster.start(2)
  const command = { type: 'reportLostReplicas', ...key, isStarting: true, replicas: [] } as const
  expect(cluster.refused(command)).toBe('STALE_BROKER_EPOCH')
})

it('of a partition that is not there, or elsewhere, changes nothing', () => {
  cluster.topic([1, 2])
  expect(report(3)).toBe(false)
  const replicas = [{ topicId: idOf(77), partition: 0, lost: 'everything' }] as const
  const request = { ...cluster.key(1), isStarting: true, replicas }
  const answer = cluster.accepted({ type: 'reportLostReplicas', ...request })
  expect(answer.replicas).toEqual([{ topicId: idOf(77), partition: 0, isGivenUp: false }])
})
