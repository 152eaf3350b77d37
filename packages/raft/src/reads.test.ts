// Reads without leases: a majority confirms, in a round that begins after them, that the leader still leads (R8; Raft thesis §6.4).
import { describe, expect, it } from 'vitest'
import {
  appends,
  electionBaseMs,
  ofType,
  type SoloOptions,
  SoloReplica,
} from './testing/solo-replica.ts'

function leaderOf(options: SoloOptions = {}): SoloReplica {
  const replica = new SoloReplica(options)
  replica.leadAll()
  return replica
}

const voters = (count: number) => Array.from({ length: count }, (_, position) => `${position + 1}`)

function confirm(leader: SoloReplica, round: number, ...replicas: string[]): number[] {
  for (const replica of replicas) leader.hear(replica, { type: 'heartbeatReply', round })
  return leader.run().reads.map(({ id }) => id)
}

describe('a read', () => {
  // size of the cluster, who answers beside the leader, confirmed
  it.each([
    [1, [], true],
    [2, [], false],
    [2, ['2'], true],
    [3, [], false],
    [3, ['3'], true],
    [4, ['2'], false],
    [4, ['2', '4'], true],
    [5, ['2'], false],
    [5, ['2', '2', '2'], false],
    [5, ['2', '8', '9'], false],
    [5, ['2', '5'], true],
  ] as const)('of %i replicas the leader and %o confirm it: %s', (size, answers, isConfirmed) => {
    const leader = leaderOf({ voters: voters(size) })
    leader.hear('8', { type: 'observe' })
    leader.hear('9', { type: 'observe' })
    leader.run()
    leader.raft.read(7)
    const asked = leader.run()
    const { reads } = asked
    expect(reads.map(({ id }) => id)).toEqual(size === 1 ? [7] : [])
    expect([...reads.map(({ id }) => id), ...confirm(leader, 1, ...answers)]).toEqual(
      isConfirmed ? [7] : [],
    )
  })

  it('is confirmed once', () => {
    const leader = leaderOf()
    leader.raft.read(7)
    leader.run()
    expect(confirm(leader, 1, '2')).toEqual([7])
    expect(confirm(leader, 1, '3')).toEqual([])
  })

  it('sees what is committed when its round begins; more is not needed', () => {
    const leader = leaderOf()
    leader.raft.read(7)
    leader.run()
    leader.propose('x')
    leader.run()
    leader.acknowledge('2')
    leader.run()
    expect(leader.raft.log.commitIndex).toBe(2n)
    leader.hear('2', { type: 'heartbeatReply', round: 1 })
    expect(leader.run().reads).toEqual([{ id: 7, index: 1n }])
  })

  it('all that have come together are confirmed by one round', () => {
    const leader = leaderOf()
    for (const id of [1, 2, 3]) leader.raft.read(id)
    expect(ofType(leader.run(), 'heartbeat').map(({ to, round }) => [to, round])).toEqual([
      ['2', 1],
      ['3', 1],
    ])
    expect(confirm(leader, 1, '3')).toEqual([1, 2, 3])
  })

  it('an answer to an earlier round confirms nothing that began after it', () => {
    const leader = leaderOf()
    leader.raft.read(1)
    leader.run()
    leader.raft.read(2)
    leader.run()
    expect(confirm(leader, 1, '2', '3')).toEqual([1])
    expect(confirm(leader, 1, '2', '3')).toEqual([])
    expect(confirm(leader, 2, '3')).toEqual([2])
  })

  it('an answer to a later round confirms the earlier ones too', () => {
    const leader = leaderOf({ voters: voters(5) })
    for (const id of [1, 2, 3]) {
      leader.raft.read(id)
      leader.run()
    }
    expect(confirm(leader, 2, '2')).toEqual([])
    expect(confirm(leader, 3, '3')).toEqual([1, 2])
    expect(confirm(leader, 3, '4')).toEqual([3])
  })

  it('an answer that is overtaken by a later one takes nothing back', () => {
    const leader = leaderOf({ voters: voters(5) })
    for (const id of [1, 2]) {
      leader.raft.read(id)
      leader.run()
    }
    expect(confirm(leader, 2, '2')).toEqual([])
    expect(confirm(leader, 1, '2')).toEqual([])
    expect(confirm(leader, 2, '3')).toEqual([1, 2])
  })

  it('the usual heartbeats repeat the question, as long as nobody answers it', () => {
    const leader = leaderOf()
    leader.raft.read(1)
    leader.run()
    leader.timeOut()
    const rounds = ofType(leader.run(), 'heartbeat').map(({ round }) => round)
    expect(rounds).toEqual([1, 1])
  })

  it('waits until an entry of the leader’s own term is committed, and sees that one', () => {
    const leader = new SoloReplica({ term: 4n, log: [1n, 4n] })
    leader.lead()
    leader.raft.read(1)
    expect(leader.run().reads).toEqual([])
    expect(confirm(leader, 0, '2', '3')).toEqual([])
    leader.acknowledge('2')
    leader.run()
    leader.hear('2', { type: 'heartbeatReply', round: 1 })
    expect(leader.run().reads).toEqual([{ id: 1, index: 3n }])
  })

  it('is refused by who does not lead', () => {
    expect(new SoloReplica().raft.read(1)).toBe('notLeader')
  })

  it('more than the limit are refused, those that wait for their round included', () => {
    const leader = leaderOf({ limits: { reads: 2 } })
    expect(leader.raft.read(1)).toBeUndefined()
    leader.run()
    expect(leader.raft.read(2)).toBeUndefined()
    expect(leader.raft.read(3)).toBe('busy')
    leader.run()
    expect(leader.raft.read(3)).toBe('busy')
    expect(confirm(leader, 1, '2')).toEqual([1])
    expect(leader.raft.read(3)).toBeUndefined()
  })
})

describe('reads of a leader that leads no more', () => {
  it.each([
    ['of a newer leader', (leader: SoloReplica) => leader.hear('2', appends([1n, 1n], []), 5n)],
    [
      'that no majority answers',
      (leader: SoloReplica) => {
        leader.nowMs += 2 * electionBaseMs
        leader.raft.elapsed(leader.nowMs)
      },
    ],
  ])('fail when it learns %s', (_, depose) => {
    const leader = leaderOf()
    leader.raft.read(1)
    leader.run()
    leader.raft.read(2)
    depose(leader)
    const { reads, failedReads } = leader.run()
    expect(leader.raft.role).toBe('follower')
    expect(reads).toEqual([])
    expect(failedReads).toEqual([1, 2])
    leader.hear('2', { type: 'heartbeatReply', round: 9 })
    expect(leader.run().reads).toEqual([])
  })

  it('answers to the reads of an earlier term confirm none of this', () => {
    const leader = leaderOf()
    leader.raft.read(1)
    leader.run()
    leader.hear('2', appends([1n, 1n], []), 5n)
    leader.run()
    leader.leadAll()
    leader.raft.read(2)
    leader.run()
    leader.hear('2', { type: 'heartbeatReply', round: 1 }, 1n)
    leader.hear('3', { type: 'heartbeatReply', round: 1 }, 1n)
    expect(leader.run().reads).toEqual([])
    expect(confirm(leader, 1, '2')).toEqual([2])
  })
})
