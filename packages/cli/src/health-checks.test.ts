import type { QuorumReplica, QuorumView, TopicView } from '@naru/client'
import { describe, expect, it } from 'vitest'
import { type ClusterState, healthChecks, healthSentence, isHealthy } from './health-checks.ts'

const nowMs = 1_000_000

function replica(nodeId: number, fields: Partial<QuorumReplica> = {}): QuorumReplica {
  const known = { logEnd: 100n, lastContactMs: nowMs, caughtUpMs: nowMs }
  return { nodeId, directoryId: 'd', ...known, ...fields }
}

function quorum(voters: readonly QuorumReplica[], fields: Partial<QuorumView> = {}): QuorumView {
  return {
    leader: 1,
    leaderEpoch: 4,
    highWatermark: 99n,
    voters,
    observers: [],
    nodes: [],
    ...fields,
  }
}

function broker(nodeId: number, isFenced = false) {
  return { nodeId, host: 'h', port: 9092, rack: null, isFenced }
}

function topic(name: string, partitions: readonly { leader: number; isr: number[] }[]): TopicView {
  const replicas = [1, 2]
  return {
    name,
    topicId: 'id',
    partitions: partitions.map((each, partition) => {
      return { ...each, partition, replicas, leaderEpoch: 0 }
    }),
  }
}

const well: ClusterState = {
  nowMs,
  cluster: { clusterId: 'c', controller: 1, brokers: [broker(1), broker(2)] },
  quorum: quorum([replica(1), replica(2)]),
  topics: [topic('t', [{ leader: 1, isr: [1, 2] }])],
}

/** What is failing, with the sentence that says why. */
function failing(fields: Partial<ClusterState>): { [check: string]: string } {
  const checks = healthChecks({ ...well, ...fields }).filter(({ status }) => status === 'failing')
  expect(isHealthy(checks)).toBe(checks.length === 0)
  return Object.fromEntries(checks.map(({ check, detail }) => [check, detail]))
}

describe('healthChecks()', () => {
  it('does not vouch for what nobody has watched since there was a leader', () => {
    const why = 'no leader'
    const leaderless = [{ why, isFailure: true }, quorum([replica(1)], { leader: -1 })]
    for (const each of leaderless) {
      const [, ...others] = healthChecks({ ...well, quorum: each })
      expect(others.map(({ status }) => status)).toEqual(['unknown', 'unknown', 'unknown'])
      expect(others[0]?.detail).toBe('2 of 2 brokers alive when there was a leader')
    }
    const unasked = healthChecks({ ...well, quorum: { why, isFailure: false } })
    expect(unasked.map(({ status }) => status)).toEqual(['unknown', 'ok', 'ok', 'ok'])
  })

  it('finds nothing where all is well, and says so with the numbers', () => {
    expect(failing({})).toEqual({})
    expect(healthSentence(healthChecks(well))).toBe(
      'Healthy: leader 1, 2/2 voters caught up; 2 of 2 brokers alive; ' +
        '0 of 1 partition offline; 0 of 1 partition under-replicated',
    )
  })

  it('finds a quorum without a leader, or without an answer', () => {
    expect(failing({ quorum: quorum([replica(1)], { leader: -1 }) })).toEqual({
      quorum: 'no leader in term 4',
    })
    expect(failing({ quorum: { why: 'no answer', isFailure: true } })).toEqual({
      quorum: 'no answer',
    })
    const unknown = healthChecks({ ...well, quorum: { why: 'cannot be asked', isFailure: false } })
    expect(unknown[0]).toMatchObject({ check: 'quorum', status: 'unknown' })
    expect(isHealthy(unknown)).toBe(true)
  })

  it.each([
    ['was caught up 5 s ago', { caughtUpMs: nowMs - 5_000 }, {}],
    [
      'was caught up longer ago',
      { caughtUpMs: nowMs - 5_001 },
      { quorum: 'leader 1, 1/2 voters caught up' },
    ],
    [
      'was never heard of',
      { logEnd: undefined, lastContactMs: undefined, caughtUpMs: undefined },
      { quorum: 'leader 1, 1/2 voters caught up' },
    ],
  ])('of a voter that %s', (_, fields, expected) => {
    expect(failing({ quorum: quorum([replica(1), replica(2, fields)]) })).toEqual(expected)
  })

  it("measures by the leader's clock, and does not need observers", () => {
    const early = { lastContactMs: 60_000, caughtUpMs: 60_000 }
    const voters = [replica(1, early), replica(2, early)]
    const observers = [replica(3, { caughtUpMs: 0 })]
    expect(failing({ quorum: quorum(voters, { observers }) })).toEqual({})
  })

  it('finds brokers that are fenced, and those that only replicas tell of', () => {
    const brokers = [broker(1), broker(3, true)]
    expect(failing({ cluster: { ...well.cluster, brokers } })).toEqual({
      brokers: '1 of 3 brokers alive (down: 2, 3)',
    })
  })

  it('finds partitions without a leader and those out of sync, and names three', () => {
    const out = { leader: 1, isr: [1] }
    const topics = [topic('a', [out, { leader: -1, isr: [2] }, out]), topic('b', [out])]
    expect(failing({ topics })).toEqual({
      'offline-partitions': '1 of 4 partitions offline (a/1)',
      'under-replicated-partitions':
        '4 of 4 partitions under-replicated (a/0, a/1, a/2 and 1 more)',
    })
  })
})
