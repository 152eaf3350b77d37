import { kafkaErrors } from '@naru/model'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Candidate } from './elections.ts'
import { replay } from './replay.ts'
import { idOf, TestCluster } from './testing/cluster.ts'

let cluster: TestCluster
beforeEach(() => {
  cluster = new TestCluster(1, 2, 3, 4)
})

const code = (name: keyof typeof kafkaErrors) => kafkaErrors[name].code

function elect(
  kind: 'preferred' | 'unclean',
  candidates: readonly Candidate[] = [],
  isCommanded = true,
): number | undefined {
  const partitions = [{ topicId: idOf(1), partition: 0, candidates }]
  const response = cluster.accepted({ type: 'electLeaders', kind, isCommanded, partitions })
  return response.partitions[0]?.errorCode
}

const candidate = (nodeId: number, lastEpoch: number, logEndOffset: bigint): Candidate => ({
  ...cluster.key(nodeId),
  lastEpoch,
  logEndOffset,
})

describe('the preferred leader', () => {
  it('is the first replica, once it is in sync', () => {
    expect(elect('preferred')).toBe(code('UNKNOWN_TOPIC_OR_PARTITION'))
    cluster.topic([1, 2, 3])
    expect(elect('preferred')).toBe(code('ELECTION_NOT_NEEDED'))
    cluster.fence(1)
    cluster.unfence(1)
    expect(elect('preferred')).toBe(code('PREFERRED_LEADER_NOT_AVAILABLE'))
    cluster.propose([2, 3, 1])
    expect(elect('preferred')).toBe(0)
    expect(cluster.partition).toMatchObject({ leader: 1, leaderEpoch: 2 })
  })
})

describe('an unclean election', () => {
  /** All replicas lost the end of their logs, one after the other. */
  const allLossy = (configs: Record<string, string> = {}) => {
    cluster.topic([1, 2, 3], { 'naru.flush': 'async', ...configs })
    cluster.fence(1, 2, 3)
    for (const nodeId of [1, 2, 3]) {
      cluster.startAfter('os-crash', nodeId)
      cluster.unfence(nodeId)
    }
    expect(cluster.partition).toMatchObject({ leader: -1, isr: [], elr: [], lastKnownElr: [2, 3] })
  }

  it('takes the longest log of the latest epoch among those that were complete last', () => {
    allLossy()
    expect(elect('unclean', [candidate(1, 9, 9n), candidate(2, 3, 8n), candidate(3, 4, 1n)])).toBe(
      0,
    )
    expect(cluster.partition).toMatchObject({ leader: 3, isr: [3], isRecovering: true })
    expect(cluster.records).toContainEqual({
      type: 'uncleanElection',
      topicId: idOf(1),
      partition: 0,
      leader: 3,
      leaderEpoch: cluster.partition.leaderEpoch,
      isCommanded: true,
    })
  })

  it.each([
    ['the later epoch', 3, 1n, 2, 9n, 1],
    ['the longer log', 3, 1n, 3, 9n, 2],
    ['the first replica', 3, 9n, 3, 9n, 1],
  ])('takes %s of two', (_, epochA, endA, epochB, endB, leader) => {
    cluster.topic([1, 2], { 'min.insync.replicas': '1' })
    cluster.fence(1, 2)
    cluster.startAfter('unknown', 1)
    cluster.startAfter('unknown', 2)
    cluster.unfence(1, 2)
    expect(elect('unclean', [candidate(2, epochB, endB), candidate(1, epochA, endA)])).toBe(0)
    expect(cluster.partition).toMatchObject({ leader, isr: [leader] })
  })

  it('needs the permission of the topic, or an operator', () => {
    allLossy()
    const candidates = [candidate(2, 1, 1n)]
    expect(elect('unclean', candidates, false)).toBe(code('ELIGIBLE_LEADERS_NOT_AVAILABLE'))
    cluster.accepted({
      type: 'alterTopicConfig',
      topic: 'orders',
      changes: [{ name: 'unclean.leader.election.enable', operation: 'set', value: 'true' }],
      validateOnly: false,
    })
    expect(elect('unclean', candidates, false)).toBe(0)
  })

  it('does not count a candidate that has been restarted or fenced since it was asked', () => {
    allLossy()
    const asked = [candidate(2, 1, 1n), candidate(3, 1, 1n), candidate(4, 9, 9n)]
    cluster.start(2)
    cluster.unfence(2)
    cluster.fence(3)
    expect(elect('unclean', asked)).toBe(code('ELIGIBLE_LEADERS_NOT_AVAILABLE'))
  })

  it('is not held where one leads, and becomes a clean one where a complete replica can', () => {
    cluster.topic([1, 2, 3])
    expect(elect('unclean', [candidate(2, 1, 1n)])).toBe(code('ELECTION_NOT_NEEDED'))
    const leaderless = { ...cluster.partition, leader: -1, isr: [], elr: [3] }
    replay(cluster.image, { type: 'partition', ...leaderless })
    expect(elect('unclean', [candidate(2, 9, 9n)])).toBe(0)
    expect(cluster.partition).toMatchObject({ leader: 3, isr: [3], isRecovering: false })
  })

  it('leaves nobody eligible besides: what others have is different now, not more', () => {
    cluster.topic([1, 2, 3])
    cluster.fence(1)
    cluster.fence(2, 3)
    cluster.unfence(1)
    expect(cluster.partition).toMatchObject({ leader: -1, isr: [], elr: [2, 3] })
    expect(elect('unclean', [candidate(1, 1, 1n)])).toBe(0)
    expect(cluster.partition).toMatchObject({ leader: 1, isr: [1], elr: [], lastKnownElr: [] })
    cluster.fence(1)
    cluster.unfence(2)
    expect(cluster.partition).toMatchObject({ leader: -1, elr: [1] })
  })

  it('ends its recovery with a proposal of the leader, and lets others join before', () => {
    allLossy()
    elect('unclean', [candidate(2, 1, 1n)])
    expect(cluster.propose([2, 3], { isRecovering: true })).toBe('0')
    expect(cluster.partition).toMatchObject({ isRecovering: true, isr: [2, 3] })
    expect(cluster.propose([2, 3], { isRecovering: false })).toBe('0')
    expect(cluster.partition).toMatchObject({ isRecovering: false, isr: [2, 3] })
    expect(cluster.propose([2, 3], { isRecovering: true })).toBe(String(code('INVALID_REQUEST')))
  })
})
