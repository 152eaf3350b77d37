// Sentences of the Raft paper (extended version), §5.4 and §6, and of Ongaro's thesis, §3.10, §4.1, §6.2, §6.4 and §9.6.
import { describe, expect, it } from 'vitest'
import {
  accepts,
  appends,
  electionBaseMs,
  exchange,
  heartbeatMs,
  ofType,
  SoloReplica,
} from './testing/solo-replica.ts'

describe('§5.4.1 who may be elected', () => {
  it.each([
    [[], 0n, 0n],
    [[1n], 1n, 1n],
    [[1n, 2n], 2n, 2n],
    [[1n, 2n, 2n, 5n], 4n, 5n],
  ])('a request for votes tells the end of the log (%o)', (log, lastIndex, lastTerm) => {
    const replica = new SoloReplica({ term: 5n, log })
    const requests = ofType(replica.campaign(), 'vote')
    expect(requests.map((request) => [request.to, request.lastIndex, request.lastTerm])).toEqual([
      ['2', lastIndex, lastTerm],
      ['3', lastIndex, lastTerm],
    ])
  })

  // the voter's log, the end of the candidate's, granted
  it.each([
    [[1n], 1n, 1n, true],
    [[1n], 2n, 1n, true],
    [[1n, 1n], 1n, 1n, false],
    [[1n], 1n, 2n, true],
    [[1n], 2n, 2n, true],
    [[1n, 1n], 1n, 2n, true],
    [[2n], 1n, 1n, false],
    [[2n], 2n, 1n, false],
    [[2n, 1n].sort(), 1n, 1n, false],
    [[], 0n, 0n, true],
  ] as const)(
    'votes for nobody whose log is behind its own (%o against %s/%s: %s)',
    (log, lastIndex, lastTerm, granted) => {
      for (const type of ['preVote', 'vote'] as const) {
        const replica = new SoloReplica({ term: 2n, log })
        replica.hear('2', { type, lastIndex, lastTerm }, 3n)
        const { messages } = replica.run()
        const replies = messages.map((message) => 'granted' in message && message.granted)
        expect(replies, type).toEqual([granted])
      }
    },
  )
})

describe('§5.4.2 commits of older terms', () => {
  // what a follower has of [1, 2] and the no-op of term 3, what is committed by that
  it.each([
    [1n, 0n],
    [2n, 0n],
    [3n, 3n],
  ])(
    'only entries of its own term are committed by counting (up to %s: commits %s)',
    (matchIndex, commitIndex) => {
      const replica = new SoloReplica({ term: 2n, log: [1n, 2n] })
      replica.lead()
      replica.hear('2', accepts(matchIndex))
      replica.run()
      expect(replica.raft.log.commitIndex).toBe(commitIndex)
    },
  )

  it('figure 8: an entry of term 2 that a majority holds may still be overwritten', () => {
    const [one, two, three] = [
      new SoloReplica({ self: '1', term: 3n, log: [1n, 2n] }),
      new SoloReplica({ self: '2', term: 3n, log: [1n, 2n] }),
      new SoloReplica({ self: '3', term: 3n, log: [1n, 3n] }),
    ] as const
    // c: the leader of term 4 brings entry 2 to a majority, and its no-op to nobody.
    one.lead()
    one.hear('2', accepts(2n))
    one.run()
    expect(one.raft.log.commitIndex).toBe(0n)
    // d: the one with an entry of term 3 is elected and overwrites it everywhere.
    three.hear('1', { type: 'heartbeat', commitIndex: 0n, round: 0 }, 4n)
    three.timeOut()
    exchange([two, three])
    expect(three.raft.role).toBe('leader')
    expect(two.terms()).toEqual([1n, 3n, 5n])
    expect(two.raft.log.commitIndex).toBe(3n)
  })

  it('a leader keeps the terms of the entries that it found', () => {
    const leader = new SoloReplica({ self: '1', term: 5n, log: [1n, 2n, 4n] })
    const follower = new SoloReplica({ self: '2', term: 5n })
    leader.campaign()
    leader.hear('3', { type: 'voteReply', granted: true })
    exchange([leader, follower])
    expect(follower.terms()).toEqual([1n, 2n, 4n, 6n])
  })
})

describe('§3.10 of the thesis: transfer', () => {
  it('the leader brings the target up to date, then tells it to time out, and it campaigns at once', () => {
    const leader = new SoloReplica({ self: '1' })
    const target = new SoloReplica({ self: '2' })
    leader.campaign()
    leader.hear('3', { type: 'voteReply', granted: true })
    exchange([leader, target])
    leader.propose('x')
    leader.raft.transferLeadership('2')
    const carried = exchange([leader, target], ({ to, from }) => to !== '3' && from !== '3')
    const handed = carried.findIndex(({ type }) => type === 'timeoutNow')
    const caughtUp = carried.findIndex(
      (message) => message.type === 'appendReply' && message.matchIndex === 2n,
    )
    expect(caughtUp).toBeGreaterThanOrEqual(0)
    expect(handed).toBeGreaterThan(caughtUp)
    expect(carried.slice(handed).some(({ type }) => type === 'preVote')).toBe(false)
    expect(target.raft.role).toBe('leader')
    expect(leader.raft.role).toBe('follower')
  })
})

describe('§4.1 of the thesis: changes of voters', () => {
  it('a replica uses the newest voters in its log, committed or not', () => {
    const replica = new SoloReplica({ voters: ['1', '2', '3'] })
    replica.leadAll()
    replica.raft.changeVoters({ remove: '3' })
    expect(replica.raft.voters).toEqual(['1', '2'])
    replica.run()
    replica.hear('3', accepts(2n))
    expect(replica.raft.log.commitIndex).toBe(1n)
    replica.hear('2', accepts(2n))
    expect(replica.raft.log.commitIndex).toBe(2n)
  })

  it('a replica votes for a candidate that is no voter of its own', () => {
    const replica = new SoloReplica({ term: 1n, voters: ['1', '2', '3'] })
    replica.hear('9', { type: 'vote', lastIndex: 0n, lastTerm: 0n }, 2n)
    expect(ofType(replica.run(), 'voteReply').map(({ granted }) => granted)).toEqual([true])
  })

  it('a replica takes entries from a leader that is no voter of its own', () => {
    const replica = new SoloReplica({ term: 1n, voters: ['1', '2', '3'] })
    replica.hear('9', appends([0n, 0n], [2n], 1n), 2n)
    expect(replica.run().committed).toHaveLength(1)
  })
})

describe('§6.2 of the thesis: leaders without a majority', () => {
  it.each([
    [3, ['2'], 'leader'],
    [3, [], 'follower'],
    [5, ['2', '3'], 'leader'],
    [5, ['2'], 'follower'],
  ] as const)('of %i, a leader that hears from %o only becomes a %s', (size, alive, outcome) => {
    const voters = Array.from({ length: size }, (_, position) => `${position + 1}`)
    const replica = new SoloReplica({ voters })
    replica.leadAll()
    for (let passed = 0; passed <= 2 * electionBaseMs; passed += heartbeatMs) {
      replica.pass(heartbeatMs)
      for (const voter of alive) replica.hear(voter, { type: 'heartbeatReply', round: 0 })
    }
    expect(replica.raft.role).toBe(outcome)
  })
})

describe('§6.4 of the thesis: reads', () => {
  it('a leader waits with reads until an entry of its term is committed', () => {
    const replica = new SoloReplica()
    replica.lead()
    replica.raft.read(1)
    const rounds = ofType(replica.run(), 'heartbeat')
    expect(rounds).toEqual([])
    replica.acknowledge('2')
    expect(ofType(replica.run(), 'heartbeat').map(({ round }) => round)).toEqual([1, 1])
  })

  it('the round that confirms a read begins after the read', () => {
    const replica = new SoloReplica()
    replica.leadAll()
    replica.raft.read(1)
    replica.run()
    replica.raft.read(2)
    replica.hear('2', { type: 'heartbeatReply', round: 1 })
    expect(replica.run().reads.map(({ id }) => id)).toEqual([1])
    replica.hear('2', { type: 'heartbeatReply', round: 2 })
    expect(replica.run().reads.map(({ id }) => id)).toEqual([2])
  })
})

describe('§9.6 of the thesis: pre-votes', () => {
  it('a candidate raises its term only when a majority would vote for it', () => {
    const replica = new SoloReplica({ term: 4n })
    replica.timeOut()
    const asked = ofType(replica.run(), 'preVote')
    expect(asked.map(({ to, term }) => [to, term])).toEqual([
      ['2', 5n],
      ['3', 5n],
    ])
    expect(replica.raft.term).toBe(4n)
    expect(replica.isWriting).toBe(false)
    replica.hear('2', { type: 'preVoteReply', granted: true }, 5n)
    expect(replica.raft.term).toBe(5n)
  })

  it('who is asked neither changes its term nor remembers it', () => {
    const replica = new SoloReplica({ term: 4n })
    for (const from of ['2', '3'])
      replica.hear(from, { type: 'preVote', lastIndex: 0n, lastTerm: 0n }, 9n)
    const replies = ofType(replica.look(), 'preVoteReply')
    expect(replies.map(({ to, granted, term }) => [to, granted, term])).toEqual([
      ['2', true, 9n],
      ['3', true, 9n],
    ])
    expect(replica.raft.term).toBe(4n)
    expect(replica.isWriting).toBe(false)
  })

  // how long ago it heard the leader, granted
  it.each([
    [0, false],
    [electionBaseMs - 1, false],
    [electionBaseMs, true],
  ])('nobody helps to depose a leader that it heard %i ms ago: %s', (agoMs, granted) => {
    const replica = new SoloReplica({ term: 4n })
    replica.hear('2', { type: 'heartbeat', commitIndex: 0n, round: 0 })
    replica.run()
    replica.nowMs += agoMs
    replica.hear('3', { type: 'preVote', lastIndex: 9n, lastTerm: 4n }, 5n)
    expect(ofType(replica.run(), 'preVoteReply').map((reply) => reply.granted)).toEqual([granted])
  })
})
