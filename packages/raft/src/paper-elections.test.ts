// Sentences of "In Search of an Understandable Consensus Algorithm (Extended Version)" by Ongaro and Ousterhout, §5.1 and §5.2, each
// held against one replica. Pre-votes (§9.6 of Ongaro's thesis) come before each campaign here; `campaign` grants them.
import { describe, expect, it } from 'vitest'
import {
  appends,
  electionBaseMs,
  heartbeatMs,
  ofType,
  type SoloOptions,
  SoloReplica,
} from './testing/solo-replica.ts'

const roles = {
  follower: (options: SoloOptions) => new SoloReplica(options),
  candidate: (options: SoloOptions) => {
    const replica = new SoloReplica(options)
    replica.campaign()
    return replica
  },
  leader: (options: SoloOptions) => {
    const replica = new SoloReplica(options)
    replica.lead()
    return replica
  },
} as const
const everyRole = Object.entries(roles)

const entryAsk = { lastIndex: 0n, lastTerm: 0n }
const voters = (count: number) => Array.from({ length: count }, (_, position) => `${position + 1}`)

describe('§5.1 terms', () => {
  it.each(everyRole)('a %s that sees a newer term adopts it and follows', (_, make) => {
    const replica = make({ term: 1n })
    replica.hear('2', appends([0n, 0n], []), 9n)
    replica.run()
    expect(replica.raft.role).toBe('follower')
    expect(replica.raft.term).toBe(9n)
    expect(replica.raft.leader).toBe('2')
    expect(replica.stored.hardState).toEqual({ term: 9n, vote: undefined })
  })

  it.each(everyRole)(
    'a %s refuses what comes from an older term, and tells the newer one',
    (role, make) => {
      const replica = make({ term: 7n, log: [1n] })
      const { term } = replica.raft
      replica.run()
      replica.hear('2', appends([0n, 0n], [3n, 3n]), term - 1n)
      replica.hear('3', { type: 'vote', lastIndex: 9n, lastTerm: 9n }, term - 1n)
      const { messages } = replica.run()
      expect(messages.map(({ type, to }) => `${type} ${to}`)).toEqual([
        'heartbeatReply 2',
        'voteReply 3',
      ])
      expect(ofType({ messages }, 'voteReply')[0]?.granted).toBe(false)
      for (const message of messages) expect(message.term).toBe(term)
      expect(replica.raft.role).toBe(role)
      expect(replica.raft.log.termAt(1n)).toBe(1n)
    },
  )

  it('a term lives through a crash', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.hear('2', { type: 'heartbeat', commitIndex: 0n, round: 0 }, 5n)
    replica.run()
    replica.restart()
    expect(replica.raft.term).toBe(5n)
  })
})

describe('§5.2 followers and heartbeats', () => {
  it.each([0n, 1n, 8n])('a replica starts as a follower (stored term %s)', (term) => {
    const { raft } = new SoloReplica({ term, log: [1n], vote: '1' })
    expect(raft.role).toBe('follower')
    expect(raft.leader).toBeUndefined()
    expect(raft.term).toBe(term)
  })

  it('a follower stays one as long as it hears a leader', () => {
    const replica = new SoloReplica({ term: 1n })
    for (let passed = 0; passed < 20 * electionBaseMs; passed += heartbeatMs) {
      replica.hear('2', { type: 'heartbeat', commitIndex: 0n, round: 0 })
      replica.pass(heartbeatMs)
    }
    expect(replica.raft.role).toBe('follower')
    expect(replica.raft.term).toBe(1n)
  })

  it('a follower issues no requests of its own', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.hear('2', { type: 'heartbeat', commitIndex: 0n, round: 0 })
    replica.run()
    replica.pass(electionBaseMs - 1)
    expect(replica.run().messages).toEqual([])
  })

  it('a leader sends heartbeats to everybody, at once and then at each interval', () => {
    const replica = new SoloReplica({ voters: voters(5) })
    replica.campaign()
    for (const voter of ['2', '3']) replica.hear(voter, { type: 'voteReply', granted: true })
    for (let beat = 0; beat < 3; beat++) {
      const beats = ofType(replica.run(), 'heartbeat')
      expect(beats.map(({ to }) => to)).toEqual(['2', '3', '4', '5'])
      replica.pass(heartbeatMs - 1)
      expect(ofType(replica.run(), 'heartbeat')).toEqual([])
      replica.pass(1)
    }
  })
})

describe('§5.2 campaigns', () => {
  it.each([
    ['follower', roles.follower],
    ['candidate', roles.candidate],
  ] as const)('a %s whose time-out passes begins an election in the next term', (_, make) => {
    const replica = make({ term: 2n })
    const { term } = replica.raft
    const asked = replica.campaign()
    expect(replica.raft.role).toBe('candidate')
    expect(replica.raft.term).toBe(term + 1n)
    expect(replica.stored.hardState).toEqual({ term: term + 1n, vote: '1' })
    const requests = ofType(asked, 'vote').map(({ to, term }) => ({ to, term }))
    expect(requests).toEqual([
      { to: '2', term: term + 1n },
      { to: '3', term: term + 1n },
    ])
  })

  // size of the cluster, answers beside its own vote, what becomes of it
  it.each([
    [1, {}, 'leader'],
    [3, { 2: true, 3: true }, 'leader'],
    [3, { 2: true }, 'leader'],
    [5, { 2: true, 3: true, 4: true, 5: true }, 'leader'],
    [5, { 2: true, 3: true, 4: true }, 'leader'],
    [5, { 2: true, 3: true }, 'leader'],
    [3, { 2: false, 3: false }, 'follower'],
    [5, { 2: false, 3: false, 4: false, 5: false }, 'follower'],
    [5, { 2: true, 3: false, 4: false, 5: false }, 'follower'],
    [3, {}, 'candidate'],
    [3, { 2: false }, 'candidate'],
    [5, { 2: true }, 'candidate'],
    [5, { 2: false, 3: false }, 'candidate'],
    [5, { 2: true, 3: false, 4: false }, 'candidate'],
    [5, {}, 'candidate'],
  ] as const)('wins with a majority of %i voters: %o makes it a %s', (size, answers, outcome) => {
    const replica = new SoloReplica({ voters: voters(size) })
    replica.campaign()
    for (const [voter, granted] of Object.entries(answers)) {
      replica.hear(voter, { type: 'voteReply', granted }, 1n)
      replica.run()
    }
    expect(replica.raft.role).toBe(outcome)
    expect(replica.raft.term).toBe(1n)
  })

  it('answers that come twice, or from replicas without a vote, count once or not at all', () => {
    const replica = new SoloReplica({ voters: voters(5) })
    replica.campaign()
    for (const from of ['2', '2', '2', '8', '9'])
      replica.hear(from, { type: 'voteReply', granted: true })
    expect(replica.raft.role).toBe('candidate')
  })

  // voted for before, asked by, granted
  it.each([
    [undefined, '2', true],
    [undefined, '3', true],
    ['2', '2', true],
    ['3', '3', true],
    ['2', '3', false],
    ['3', '2', false],
  ] as const)(
    'votes once in a term, first come first served: after %s, asked by %s: %s',
    (vote, from, granted) => {
      const replica = new SoloReplica({ term: 1n, ...(vote === undefined ? {} : { vote }) })
      replica.hear(from, { type: 'vote', ...entryAsk })
      const replies = ofType(replica.run(), 'voteReply')
      expect(replies.map(({ to, granted }) => [to, granted])).toEqual([[from, granted]])
      expect(replica.stored.hardState.vote).toBe(granted ? from : vote)
    },
  )

  it('a vote lives through a crash', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.hear('2', { type: 'vote', ...entryAsk })
    replica.run()
    replica.restart()
    replica.hear('3', { type: 'vote', ...entryAsk })
    expect(ofType(replica.run(), 'voteReply').map(({ granted }) => granted)).toEqual([false])
  })

  it.each([0n, 3n])(
    'a candidate that hears a leader of its term or a newer one (+%s) follows it',
    (ahead) => {
      for (const draft of [
        appends([0n, 0n], []),
        { type: 'heartbeat', commitIndex: 0n, round: 0 } as const,
      ]) {
        const replica = roles.candidate({ term: 1n })
        replica.hear('3', draft, replica.raft.term + ahead)
        expect(replica.raft.role).toBe('follower')
        expect(replica.raft.leader).toBe('3')
        expect(replica.raft.term).toBe(2n + ahead)
      }
    },
  )

  it('a candidate goes on campaigning when the leader it hears is of an older term', () => {
    const replica = roles.candidate({ term: 5n })
    replica.hear('3', appends([0n, 0n], []), 5n)
    expect(replica.raft.role).toBe('candidate')
    expect(replica.raft.term).toBe(6n)
  })
})

describe('§5.2 random time-outs', () => {
  /** How long each of many replicas waits, from the last it heard or since it asked for votes. */
  function waits(role: 'follower' | 'candidate'): number[] {
    return Array.from({ length: 500 }, (_, seed) => {
      const replica = roles[role]({ term: 1n, seed })
      if (role === 'follower') replica.hear('2', { type: 'heartbeat', commitIndex: 0n, round: 0 })
      return replica.raft.deadlineMs - replica.nowMs
    })
  }

  it.each(['follower', 'candidate'] as const)(
    'the time-out of a %s is spread over a fixed interval',
    (role) => {
      const times = waits(role)
      expect(Math.min(...times)).toBeGreaterThanOrEqual(electionBaseMs)
      expect(Math.max(...times)).toBeLessThan(2 * electionBaseMs)
      const hundreds = new Set(times.map((ms) => Math.floor((ms - electionBaseMs) / 100)))
      expect([...hundreds].sort()).toEqual([0, 1, 2, 3, 4, 5])
    },
  )

  it.each(['follower', 'candidate'] as const)(
    'of five %ss most often one times out well before the others',
    (role) => {
      const times = waits(role)
      let contested = 0
      for (let from = 0; from < times.length; from += 5) {
        const [first = 0, second = 0] = times.slice(from, from + 5).sort((a, b) => a - b)
        if (second - first < 10) contested++
      }
      expect(contested).toBeLessThan(30)
    },
  )

  it('each time-out is drawn anew', () => {
    const replica = new SoloReplica({ term: 1n })
    const times = new Set<number>()
    for (let beat = 0; beat < 20; beat++) {
      replica.hear('2', { type: 'heartbeat', commitIndex: 0n, round: 0 })
      times.add(replica.raft.deadlineMs - replica.nowMs)
    }
    expect(times.size).toBeGreaterThan(10)
  })

  it('a split vote is followed by an election in a newer term', () => {
    const replica = new SoloReplica({ voters: voters(4), term: 1n })
    replica.campaign()
    replica.hear('2', { type: 'voteReply', granted: true })
    replica.hear('3', { type: 'voteReply', granted: false })
    expect(replica.raft.role).toBe('candidate')
    replica.campaign()
    expect(replica.raft.term).toBe(3n)
    for (const from of ['2', '3']) replica.hear(from, { type: 'voteReply', granted: true })
    expect(replica.raft.role).toBe('leader')
  })
})
