// Leadership that is handed over (R7; Raft thesis §3.10).
import { describe, expect, it } from 'vitest'
import {
  accepts,
  appends,
  electionBaseMs,
  exchange,
  heartbeatMs,
  ofType,
  rejects,
  SoloReplica,
} from './testing/solo-replica.ts'

const voters = ['1', '2', '3']

function leaderOf(options = {}): SoloReplica {
  const replica = new SoloReplica(options)
  replica.leadAll()
  return replica
}

function told(replica: SoloReplica): string[] {
  return ofType(replica.run(), 'timeoutNow').map(({ to }) => to)
}

describe('a transfer', () => {
  it('to a target that has everything is made at once', () => {
    const leader = leaderOf()
    expect(leader.raft.transferLeadership('2')).toBeUndefined()
    expect(told(leader)).toEqual(['2'])
  })

  it('to a slow target waits until it has what was there when it was asked for', () => {
    const leader = leaderOf()
    leader.propose('a', 'b')
    leader.raft.transferLeadership('3')
    expect(told(leader)).toEqual([])
    leader.hear('3', accepts(2n))
    leader.hear('2', accepts(3n))
    expect(told(leader)).toEqual([])
    leader.hear('3', accepts(3n))
    expect(told(leader)).toEqual(['3'])
  })

  it('to itself is done', () => {
    const leader = leaderOf()
    expect(leader.raft.transferLeadership('1')).toBeUndefined()
    expect(told(leader)).toEqual([])
    expect(leader.propose('x')).toMatchObject({ index: 2n })
  })

  it('is refused to who is no voter, known or not, or no longer', () => {
    const leader = leaderOf()
    leader.hear('4', { type: 'observe' })
    leader.acknowledge('4')
    expect(leader.raft.transferLeadership('4')).toBe('unknownVoter')
    expect(leader.raft.transferLeadership('9')).toBe('unknownVoter')
    leader.raft.changeVoters({ remove: '3' })
    expect(leader.raft.transferLeadership('3')).toBe('unknownVoter')
  })

  it('is refused to who is recovering, or is being sent a snapshot', () => {
    const leader = leaderOf()
    leader.hear('2', { type: 'appendReply', matchIndex: 1n, isRecovering: true, recoveries: 0 })
    expect(leader.raft.transferLeadership('2')).toBe('lagging')
    leader.propose('a')
    leader.run()
    leader.acknowledge('2')
    leader.hear('2', accepts(2n))
    leader.run()
    leader.raft.snapshotTaken({ index: 2n, term: 1n, voters })
    leader.hear('3', rejects(1n, 0n, 0n))
    leader.propose('b')
    leader.run()
    leader.hear('3', rejects(2n, 0n, 0n))
    leader.hear('3', rejects(1n, 0n, 0n))
    leader.run()
    expect(leader.raft.progress.get('3')?.state).toBe('snapshot')
    expect(leader.raft.transferLeadership('3')).toBe('lagging')
  })

  it('is refused by who does not lead', () => {
    expect(new SoloReplica().raft.transferLeadership('2')).toBe('notLeader')
  })

  it('lets nothing be proposed or changed, and reads pass', () => {
    const leader = leaderOf()
    leader.raft.transferLeadership('2')
    expect(leader.propose('x')).toBe('handingOver')
    expect(leader.raft.changeVoters({ remove: '3' })).toBe('handingOver')
    expect(leader.raft.read(1)).toBeUndefined()
    leader.run()
    leader.hear('2', { type: 'heartbeatReply', round: 1 })
    expect(leader.run().reads.map(({ id }) => id)).toEqual([1])
  })

  it('is told again with each heartbeat, as long as it has not worked', () => {
    const leader = leaderOf()
    leader.raft.transferLeadership('2')
    expect(told(leader)).toEqual(['2'])
    expect(told(leader)).toEqual([])
    leader.pass(heartbeatMs)
    expect(told(leader)).toEqual(['2'])
  })

  it('is given up when the time-out passes, and another may be made', () => {
    const leader = leaderOf()
    leader.raft.transferLeadership('2')
    leader.run()
    for (let passed = 0; passed < electionBaseMs; passed += heartbeatMs) {
      expect(leader.propose('x')).toBe('handingOver')
      leader.pass(heartbeatMs)
      leader.hear('3', { type: 'heartbeatReply', round: 0 })
      leader.run()
    }
    expect(leader.propose('x')).toMatchObject({ index: 2n })
    leader.run()
    leader.acknowledge('3')
    expect(leader.raft.transferLeadership('3')).toBeUndefined()
    expect(told(leader)).toEqual(['3'])
  })

  it('to another takes the place of one that is under way', () => {
    const leader = leaderOf()
    leader.propose('a')
    leader.raft.transferLeadership('2')
    leader.run()
    expect(leader.raft.transferLeadership('3')).toBeUndefined()
    leader.acknowledge('2')
    expect(told(leader)).toEqual([])
    leader.acknowledge('3')
    expect(told(leader)).toEqual(['3'])
  })

  it('ends with the leadership', () => {
    const leader = leaderOf()
    leader.raft.transferLeadership('2')
    leader.run()
    leader.hear('3', appends([1n, 1n], [2n]), 2n)
    leader.run()
    leader.lead()
    expect(leader.raft.role).toBe('leader')
    expect(leader.propose('x')).toMatchObject({ term: 3n })
  })
})

describe('who is handed the leadership', () => {
  it('campaigns at once, in a new term, without a pre-vote', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.hear('2', { type: 'heartbeat', commitIndex: 0n, round: 0 })
    replica.hear('2', { type: 'timeoutNow' })
    const { messages } = replica.run()
    expect(messages.filter(({ type }) => type === 'vote')).toHaveLength(2)
    expect(ofType({ messages }, 'preVote')).toEqual([])
    expect(replica.stored.hardState).toEqual({ term: 2n, vote: '1' })
  })

  it('wins although the others hear the leader: they have no part in deposing it', () => {
    const replicas = voters.map((self) => new SoloReplica({ self }))
    const [one, , three] = replicas as [SoloReplica, SoloReplica, SoloReplica]
    one.timeOut()
    exchange(replicas)
    one.raft.transferLeadership('3')
    exchange(replicas)
    expect(three.raft.role).toBe('leader')
    expect(replicas.map(({ raft }) => [raft.leader, raft.term])).toEqual(Array(3).fill(['3', 2n]))
  })

  it.each(['candidate', 'leader'] as const)('does not care when it is a %s by then', (role) => {
    const replica = new SoloReplica({ term: 1n })
    if (role === 'candidate') replica.campaign()
    else replica.leadAll()
    const { term } = replica.raft
    replica.hear('2', { type: 'timeoutNow' })
    expect(replica.raft.role).toBe(role)
    expect(replica.raft.term).toBe(term)
  })

  it('does not care when it is told so in an older term', () => {
    const replica = new SoloReplica({ term: 5n })
    replica.hear('2', { type: 'timeoutNow' }, 4n)
    expect(replica.raft.role).toBe('follower')
    expect(replica.raft.term).toBe(5n)
  })
})
