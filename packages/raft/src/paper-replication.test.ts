// Sentences of the Raft paper (extended version), §5.3, §5.5, §7 and §8, each held against one replica, or a leader and a follower.
import { describe, expect, it } from 'vitest'
import {
  accepts,
  appends,
  dataOf,
  exchange,
  heartbeatMs,
  ofType,
  rejects,
  SoloReplica,
} from './testing/solo-replica.ts'

const voters = (count: number) => Array.from({ length: count }, (_, position) => `${position + 1}`)

describe('§5.3 the leader', () => {
  it('appends what it is asked for and sends it to all others at once', () => {
    const replica = new SoloReplica()
    replica.leadAll()
    expect(replica.propose('x')).toEqual({ index: 2n, term: 1n })
    const { messages } = replica.look()
    const entry = { index: 2n, term: 1n, ...dataOf('x') }
    const sent = ofType({ messages }, 'append')
    expect(
      sent.map(({ to, prevIndex, prevTerm, entries }) => ({ to, prevIndex, prevTerm, entries })),
    ).toEqual([
      { to: '2', prevIndex: 1n, prevTerm: 1n, entries: [entry] },
      { to: '3', prevIndex: 1n, prevTerm: 1n, entries: [entry] },
    ])
    expect(replica.raft.log.durableIndex).toBe(1n)
    replica.write()
    expect(replica.stored.entries.at(-1)).toEqual(entry)
  })

  it('commits an entry that a majority has, applies it, and tells the followers', () => {
    const replica = new SoloReplica()
    replica.leadAll()
    replica.propose('x')
    replica.run()
    expect(replica.raft.log.commitIndex).toBe(1n)
    replica.hear('2', accepts(2n))
    const { committed, messages } = replica.run()
    expect(committed).toEqual([{ index: 2n, term: 1n, ...dataOf('x') }])
    const told = ofType({ messages }, 'append').map(({ to, commitIndex }) => [to, commitIndex])
    expect(told).toEqual([
      ['2', 2n],
      ['3', 2n],
    ])
  })

  // size of the cluster, who beside the leader has the entry, committed
  it.each([
    [1, [], true],
    [3, [], false],
    [3, ['2'], true],
    [3, ['2', '3'], true],
    [4, ['2'], false],
    [4, ['2', '3'], true],
    [5, [], false],
    [5, ['2'], false],
    [5, ['2', '3'], true],
    [5, ['2', '3', '4'], true],
    [5, ['2', '3', '4', '5'], true],
  ] as const)('of %i replicas the leader and %o are a majority: %s', (size, acks, isCommitted) => {
    const replica = new SoloReplica({ voters: voters(size) })
    replica.leadAll()
    replica.propose('x')
    replica.run()
    replica.acknowledge(...acks)
    expect(replica.raft.log.commitIndex).toBe(isCommitted ? 2n : 1n)
  })

  it.each([[[]], [[2n]], [[1n, 2n]], [[1n]]])(
    'commits what came before with an entry of its own (log %o)',
    (log) => {
      const replica = new SoloReplica({ term: 2n, log })
      replica.lead()
      replica.propose('x')
      replica.run()
      replica.acknowledge('2')
      const { committed } = replica.run()
      expect(committed.map(({ term }) => term)).toEqual([...log, 3n, 3n])
      expect(committed.map(({ index }) => index)).toEqual(committed.map((_, at) => BigInt(at + 1)))
    },
  )

  it('sends again what a follower does not answer, as long as it has to', () => {
    const replica = new SoloReplica()
    replica.leadAll()
    replica.propose('x')
    replica.run()
    for (let beat = 0; beat < 5; beat++) {
      replica.timeOut()
      replica.hear('3', { type: 'heartbeatReply', round: 0 })
      replica.hear('3', rejects(2n, 1n, 1n))
      const again = ofType(replica.run(), 'append').filter(({ to }) => to === '3')
      expect(again.map(({ entries }) => entries.length)).toEqual([1])
    }
  })

  it('never overwrites or removes an entry of its own log', () => {
    const replica = new SoloReplica({ term: 4n, log: [1n, 3n] })
    replica.lead()
    replica.hear('2', rejects(2n, 2n, 9n))
    replica.hear('3', appends([0n, 0n], [2n]), 4n)
    replica.run()
    expect(replica.terms()).toEqual([1n, 3n, 5n])
  })
})

describe('§5.3 followers', () => {
  // what is appended, what is committed by it: each applied once, in the order of the log
  it.each([
    [[1n], 1n],
    [[1n, 1n], 2n],
    [[1n, 1n, 1n], 2n],
    [[1n, 1n, 1n], 3n],
  ])('a follower that learns of a commit applies it (%o up to %s)', (terms, commitIndex) => {
    const replica = new SoloReplica({ term: 1n })
    replica.hear('2', appends([0n, 0n], terms, commitIndex))
    const { committed } = replica.run()
    const expected = terms.map((_, position) => BigInt(position + 1))
    expect(committed.map(({ index }) => index)).toEqual(
      expected.filter((index) => index <= commitIndex),
    )
    expect(replica.run().committed).toEqual([])
  })

  it('takes no more for committed than it was sent', () => {
    const replica = new SoloReplica({ term: 1n, log: [1n, 1n, 1n] })
    replica.hear('2', appends([0n, 0n], [1n], 3n))
    expect(replica.raft.log.commitIndex).toBe(1n)
  })

  // its log, the place before the entries, the hint of a refusal
  it.each([
    [[1n, 2n], [0n, 0n], undefined],
    [[1n, 2n], [1n, 1n], undefined],
    [[1n, 2n], [2n, 2n], undefined],
    [
      [1n, 2n],
      [1n, 2n],
      [1n, 1n],
    ],
    [
      [1n, 2n],
      [2n, 1n],
      [1n, 1n],
    ],
    [
      [1n, 2n],
      [3n, 3n],
      [2n, 2n],
    ],
    [
      [1n, 2n],
      [3n, 1n],
      [1n, 1n],
    ],
    [[], [1n, 1n], [0n, 0n]],
    [
      [2n, 2n, 2n],
      [3n, 1n],
      [0n, 0n],
    ],
  ] as const)(
    'refuses entries whose predecessor it lacks (log %o, after %o)',
    (log, prev, hint) => {
      const replica = new SoloReplica({ term: 3n, log })
      replica.hear('2', appends(prev, []))
      const [reply] = ofType(replica.run(), 'appendReply')
      if (hint === undefined) expect(reply).toMatchObject({ matchIndex: prev[0] })
      else {
        const [hintIndex, hintTerm] = hint
        expect(reply?.rejected).toEqual({ prevIndex: prev[0], hintIndex, hintTerm })
        expect(reply?.matchIndex).toBe(0n)
      }
      expect(replica.terms()).toEqual(log)
    },
  )

  // its log, the place before the entries, their terms, its log afterwards
  it.each([
    [[1n, 2n], [2n, 2n], [3n], [1n, 2n, 3n]],
    [
      [1n, 2n],
      [1n, 1n],
      [3n, 4n],
      [1n, 3n, 4n],
    ],
    [[1n, 2n], [0n, 0n], [1n], [1n, 2n]],
    [[1n, 2n], [0n, 0n], [3n], [3n]],
    [[1n, 2n], [1n, 1n], [2n], [1n, 2n]],
    [
      [1n, 2n, 2n],
      [0n, 0n],
      [1n, 2n],
      [1n, 2n, 2n],
    ],
    [[1n, 1n, 1n], [1n, 1n], [2n], [1n, 2n]],
    [[1n, 2n], [1n, 1n], [], [1n, 2n]],
    [[], [0n, 0n], [1n, 1n], [1n, 1n]],
  ] as const)(
    'replaces what conflicts and keeps what does not (log %o, after %o come %o)',
    (log, prev, terms, after) => {
      const replica = new SoloReplica({ term: 4n, log })
      replica.hear('2', appends(prev, terms))
      const done = replica.run()
      expect(replica.terms()).toEqual(after)
      expect(replica.stored.entries.map(({ term }) => term)).toEqual(after)
      expect(ofType(done, 'appendReply').at(-1)?.matchIndex).toBe(prev[0] + BigInt(terms.length))
    },
  )
})

describe('§5.3 figure 7', () => {
  const leaderLog = [1n, 1n, 1n, 4n, 4n, 5n, 5n, 6n, 6n, 6n]

  it.each([
    ['a: lacks an entry', [1n, 1n, 1n, 4n, 4n, 5n, 5n, 6n, 6n]],
    ['b: lacks many', [1n, 1n, 1n, 4n]],
    ['c: has one more', [1n, 1n, 1n, 4n, 4n, 5n, 5n, 6n, 6n, 6n, 6n]],
    ['d: has two more of a newer term', [1n, 1n, 1n, 4n, 4n, 5n, 5n, 6n, 6n, 6n, 7n, 7n]],
    ['e: has others', [1n, 1n, 1n, 4n, 4n, 4n, 4n]],
    ['f: has others of older terms', [1n, 1n, 1n, 2n, 2n, 2n, 3n, 3n, 3n, 3n, 3n]],
  ])('a new leader makes the log of a follower like its own (%s)', (_, log) => {
    const leader = new SoloReplica({ self: '1', term: 7n, log: leaderLog })
    const follower = new SoloReplica({ self: '2', term: 7n, log })
    leader.campaign()
    leader.hear('3', { type: 'voteReply', granted: true })
    exchange([leader, follower])
    expect(follower.terms()).toEqual([...leaderLog, 8n])
    expect(follower.stored.entries).toEqual(leader.stored.entries)
    expect(follower.raft.log.commitIndex).toBe(11n)
  })
})

describe('§5.5 crashes of followers', () => {
  it('a request that arrives twice does nothing the second time', () => {
    const replica = new SoloReplica({ term: 1n })
    const request = appends([0n, 0n], [1n, 1n], 2n)
    replica.hear('2', request)
    const first = replica.run()
    replica.hear('2', request)
    const second = replica.run()
    expect(first.committed).toHaveLength(2)
    expect(second.committed).toEqual([])
    expect(ofType(second, 'appendReply').map(({ matchIndex }) => matchIndex)).toEqual([2n])
  })

  it('a follower that crashed before it answered gets the request again', () => {
    const leader = new SoloReplica({ self: '1', voters: ['1', '2'] })
    const follower = new SoloReplica({ self: '2', voters: ['1', '2'] })
    leader.timeOut()
    exchange([leader, follower])
    leader.propose('x')
    leader.run()
    follower.restart()
    for (let beat = 0; beat < 3; beat++) {
      leader.pass(heartbeatMs)
      exchange([leader, follower])
    }
    expect(follower.stored.entries).toEqual(leader.stored.entries)
    expect(leader.raft.log.commitIndex).toBe(2n)
  })
})

describe('§8 clients', () => {
  it('a new leader begins with an entry that does nothing, to learn what is committed', () => {
    const replica = new SoloReplica({ term: 2n, log: [1n, 2n] })
    replica.lead()
    expect(replica.stored.entries.at(-1)).toEqual({ index: 3n, term: 3n, kind: 'noop' })
  })

  it('a leader asks a majority whether it still leads before it answers a read', () => {
    const replica = new SoloReplica()
    replica.leadAll()
    replica.raft.read(5)
    const asked = replica.run()
    expect(asked.reads).toEqual([])
    const round = ofType(asked, 'heartbeat')[0]?.round as number
    replica.hear('2', { type: 'heartbeatReply', round })
    expect(replica.run().reads).toEqual([{ id: 5, index: 1n }])
  })
})
