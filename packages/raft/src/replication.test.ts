// How a leader sends its log, in bounded windows and around losses, and what waits for the disk (R4, R5; the contract of ready.ts).
import { describe, expect, it } from 'vitest'
import type { Message } from './messages.ts'
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

function leaderOf(options = {}): SoloReplica {
  const replica = new SoloReplica(options)
  replica.leadAll()
  return replica
}

/** First and last index of the entries of each append to 2; an empty one is its predecessor. */
function sentTo2(messages: readonly Message[]): string[] {
  return ofType({ messages: [...messages] }, 'append')
    .filter(({ to }) => to === '2')
    .map(({ prevIndex, entries }) =>
      entries.length === 0 ? `after ${prevIndex}` : `${entries[0]?.index}-${entries.at(-1)?.index}`,
    )
}

describe('a follower whose log is not known to match', () => {
  it('is sent one message, and no other before it answers or a heartbeat is answered', () => {
    const leader = new SoloReplica()
    leader.campaign()
    leader.hear('3', { type: 'voteReply', granted: true })
    expect(sentTo2(leader.run().messages)).toEqual(['1-1'])
    leader.propose('a')
    expect(sentTo2(leader.run().messages)).toEqual([])
    leader.pass(heartbeatMs)
    expect(sentTo2(leader.run().messages)).toEqual([])
    leader.hear('2', { type: 'heartbeatReply', round: 0 })
    expect(sentTo2(leader.run().messages)).toEqual(['1-2'])
    leader.hear('2', accepts(2n))
    leader.propose('b')
    leader.propose('c')
    expect(sentTo2(leader.run().messages)).toEqual(['3-4'])
  })

  it('is asked again, when the question was lost, though there is nothing to send', () => {
    const leader = leaderOf({ voters: ['1'] })
    leader.hear('2', { type: 'observe' })
    expect(sentTo2(leader.run().messages)).toEqual(['after 1'])
    expect(sentTo2(leader.run().messages)).toEqual([])
    leader.hear('2', { type: 'heartbeatReply', round: 0 })
    expect(sentTo2(leader.run().messages)).toEqual(['after 1'])
    leader.hear('2', accepts(1n))
    leader.hear('2', { type: 'heartbeatReply', round: 0 })
    expect(sentTo2(leader.run().messages)).toEqual([])
  })
})

describe('a follower that matches', () => {
  it('is sent entries ahead of its answers, up to a number of messages', () => {
    const leader = leaderOf({ limits: { inflightMessages: 2 } })
    const sent = ['a', 'b', 'c', 'd'].map((text) => {
      leader.propose(text)
      return sentTo2(leader.run().messages)
    })
    expect(sent).toEqual([['2-2'], ['3-3'], [], []])
    leader.hear('2', accepts(2n))
    expect(sentTo2(leader.run().messages)).toEqual(['4-5'])
    leader.hear('2', accepts(5n))
    leader.propose('e')
    expect(sentTo2(leader.run().messages)).toContain('6-6')
  })

  it('is sent entries ahead of its answers, up to a number of bytes', () => {
    const leader = leaderOf({ limits: { inflightBytes: 200, appendBytes: 100 } })
    leader.propose(...Array.from({ length: 10 }, () => 'x'.repeat(60)))
    expect(sentTo2(leader.run().messages)).toEqual(['2-2', '3-3', '4-4'])
    leader.hear('2', accepts(3n))
    expect(sentTo2(leader.run().messages).filter((sent) => !sent.startsWith('after'))).toEqual([
      '5-5',
      '6-6',
    ])
  })

  it('is sent messages of bounded size, with one entry at least', () => {
    const leader = leaderOf({ limits: { appendBytes: 100 } })
    leader.propose('a', 'b', 'c', 'x'.repeat(1_000), 'd')
    expect(sentTo2(leader.run().messages)).toEqual(['2-4', '5-5', '6-6'])
  })

  it('shows with each answered heartbeat whether something was lost, when the window is full too', () => {
    const leader = leaderOf({ limits: { inflightMessages: 1 } })
    leader.propose('a')
    leader.run()
    leader.propose('b')
    leader.run()
    leader.hear('2', { type: 'heartbeatReply', round: 0 })
    expect(sentTo2(leader.run().messages)).toEqual(['after 2'])
    leader.hear('2', rejects(2n, 1n, 1n))
    expect(sentTo2(leader.run().messages)).toEqual(['2-3'])
  })

  it('is told at once what is committed, and by heartbeats no more than it has', () => {
    const leader = leaderOf()
    leader.propose('a')
    leader.run()
    leader.hear('3', accepts(2n))
    leader.pass(heartbeatMs)
    const { messages } = leader.run()
    const told = messages.flatMap((message) =>
      'commitIndex' in message ? [`${message.type} ${message.to} ${message.commitIndex}`] : [],
    )
    expect(told.sort()).toEqual(['append 2 2', 'append 3 2', 'heartbeat 2 1', 'heartbeat 3 2'])
  })

  it('refusals that are late change nothing', () => {
    const leader = leaderOf()
    leader.propose('a')
    leader.run()
    leader.hear('2', accepts(2n))
    leader.hear('2', rejects(1n, 0n, 0n))
    leader.hear('2', rejects(2n, 0n, 0n))
    expect(leader.raft.progress.get('2')).toMatchObject({
      state: 'replicate',
      matchIndex: 2n,
      nextIndex: 3n,
    })
  })
})

describe('a follower whose log differs', () => {
  // the leader's log, the follower's, how often it refuses before both agree: each refusal skips a term of one of them
  it.each([
    ['nothing', [1n, 1n, 1n], [], 1],
    ['the same', [1n, 1n, 1n], [1n, 1n, 1n], 0],
    ['a beginning', [1n, 1n, 1n, 1n, 1n, 1n], [1n], 1],
    ['a long end of an older term', [1n, 3n, 3n, 3n], [1n, 2n, 2n, 2n, 2n, 2n, 2n], 1],
    ['a long end of a newer term', [1n, 1n, 1n, 1n, 1n, 4n], [1n, 1n, 3n, 3n, 3n, 3n, 3n], 2],
    ['ends of two terms', [1n, 1n, 3n, 3n, 3n, 4n], [1n, 1n, 2n, 2n, 2n, 2n], 1],
    [
      'an end of a term that the leader has less of',
      [1n, 2n, 2n, 4n, 4n, 4n],
      [1n, 2n, 2n, 2n, 2n, 2n],
      1,
    ],
    ['terms in between', [1n, 3n, 5n, 5n, 5n, 5n], [1n, 2n, 2n, 4n, 4n, 4n], 2],
    ['other terms all along', [2n, 2n, 4n, 4n, 6n, 6n], [1n, 3n, 3n, 5n, 5n, 5n], 3],
    [
      'one term at each place',
      [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n],
      [1n, 1n, 1n, 1n, 1n, 1n, 1n, 1n],
      1,
    ],
    ['terms that take turns', [1n, 1n, 4n, 4n, 7n, 7n, 9n], [1n, 2n, 3n, 5n, 6n, 8n, 8n], 4],
  ])('is found out in few steps: %s', (_, ours, theirs, refusals) => {
    const leader = new SoloReplica({ self: '1', term: 9n, log: ours })
    const follower = new SoloReplica({ self: '2', term: 9n, log: theirs })
    leader.campaign()
    leader.hear('3', { type: 'voteReply', granted: true })
    const carried = exchange([leader, follower])
    expect(follower.terms()).toEqual([...ours, 10n])
    const refused = carried.filter(
      (message) => message.type === 'appendReply' && message.rejected !== undefined,
    )
    expect(refused.length).toBe(refusals)
  })
})

describe('appends that come late, twice or overlapping', () => {
  it('cut nothing off, and are acknowledged as far as they reach', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.hear('2', appends([0n, 0n], [1n, 1n, 1n]))
    replica.run()
    replica.hear('2', appends([0n, 0n], [1n]))
    replica.hear('2', appends([1n, 1n], [1n]))
    const { messages } = replica.run()
    expect(replica.terms()).toEqual([1n, 1n, 1n])
    expect(ofType({ messages }, 'appendReply').map(({ matchIndex }) => matchIndex)).toEqual([3n])
  })

  it('that begin below what is committed are taken from there on', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.hear('2', appends([0n, 0n], [1n, 1n, 1n], 3n))
    replica.run()
    replica.hear('2', appends([1n, 1n], [1n, 1n, 1n, 1n], 4n))
    const { committed, messages } = replica.run()
    expect(committed.map(({ index }) => index)).toEqual([4n])
    expect(ofType({ messages }, 'appendReply').at(-1)?.matchIndex).toBe(5n)
  })

  it('that begin below what is kept are no reason to refuse', () => {
    const replica = new SoloReplica({
      term: 2n,
      snapshot: { index: 5n, term: 1n, voters: ['1', '2'] },
    })
    replica.hear('2', appends([2n, 1n], [1n, 1n, 1n], 5n))
    replica.hear('2', appends([3n, 1n], [1n, 1n, 2n], 6n))
    const replies = ofType(replica.run(), 'appendReply')
    expect(replies.map(({ rejected }) => rejected)).toEqual(replies.map(() => undefined))
    expect(replies.at(-1)?.matchIndex).toBe(6n)
  })
})

describe('what waits for the disk (R5)', () => {
  it('a leader counts itself when its own disk has the entry', () => {
    const leader = leaderOf()
    leader.propose('x')
    expect(ofType(leader.look(), 'append')).toHaveLength(2)
    leader.hear('2', accepts(2n))
    expect(leader.raft.log.commitIndex).toBe(1n)
    leader.write()
    expect(leader.raft.log.commitIndex).toBe(2n)
  })

  it('others may commit an entry without the leader’s disk: it is applied there when the disk has it', () => {
    const leader = leaderOf()
    leader.propose('x')
    leader.look()
    leader.acknowledge('2', '3')
    expect(leader.raft.log.commitIndex).toBe(2n)
    expect(leader.look().committed).toEqual([])
    leader.write()
    expect(leader.look().committed.map(({ index }) => index)).toEqual([2n])
  })

  it('a follower acknowledges what its disk has, and applies no more than that', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.hear('2', appends([0n, 0n], [1n, 1n]))
    replica.look()
    replica.hear('2', appends([2n, 1n], [1n], 3n))
    const early = replica.look()
    expect(ofType(early, 'appendReply').every(({ matchIndex }) => matchIndex === 0n)).toBe(true)
    expect(early.committed).toEqual([])
    replica.write()
    const first = replica.look()
    expect(ofType(first, 'appendReply').map(({ matchIndex }) => matchIndex)).toEqual([2n])
    expect(first.committed.map(({ index }) => index)).toEqual([1n, 2n])
    replica.write()
    expect(ofType(replica.look(), 'appendReply').map(({ matchIndex }) => matchIndex)).toEqual([3n])
  })

  it('an entry that is replaced while it is written is not acknowledged when that write ends', () => {
    const replica = new SoloReplica({ term: 1n, log: [1n] })
    replica.hear('2', appends([1n, 1n], [1n, 1n]))
    replica.look()
    replica.hear('3', appends([1n, 1n], [2n, 2n]), 2n)
    replica.look()
    replica.write()
    expect(replica.look().messages).toEqual([])
    expect(replica.raft.log.durableIndex).toBe(1n)
    replica.write()
    const replies = ofType(replica.look(), 'appendReply')
    expect(replies.map(({ matchIndex }) => matchIndex)).toEqual([1n, 3n])
    expect(replica.stored.entries.map(({ term }) => term)).toEqual([1n, 2n, 2n])
  })

  it('a leader’s write that ends when it leads no more counts for nothing in the next term', () => {
    const leader = leaderOf()
    leader.propose('x')
    leader.look()
    leader.hear('3', appends([1n, 1n], [2n]), 2n)
    leader.write()
    expect(leader.raft.log).toMatchObject({ durableIndex: 1n, commitIndex: 1n })
    leader.run()
    leader.lead()
    leader.hear('2', accepts(2n))
    expect(leader.raft.log.commitIndex).toBe(1n)
  })

  it('one write is handed out at a time, with all that has come together', () => {
    const leader = leaderOf()
    leader.propose('a')
    leader.look()
    leader.propose('b')
    leader.propose('c')
    expect(leader.raft.takeReady().persist).toBeUndefined()
    leader.write()
    expect(leader.raft.takeReady().persist?.entries.map(({ index }) => index)).toEqual([3n, 4n])
  })
})

describe('bounds', () => {
  it('proposals are refused while too much is not committed, and taken again after', () => {
    const leader = leaderOf({ limits: { uncommittedBytes: 100 } })
    expect(leader.propose('x'.repeat(40))).toMatchObject({ index: 2n })
    expect(leader.propose('x'.repeat(40))).toMatchObject({ index: 3n })
    expect(leader.propose('x')).toBe('busy')
    leader.run()
    leader.hear('2', accepts(2n))
    expect(leader.propose('x')).toMatchObject({ index: 4n })
    leader.run()
    leader.acknowledge('2')
    expect(leader.propose('x'.repeat(1_000))).toMatchObject({ index: 5n })
    expect(leader.propose('x')).toBe('busy')
  })

  it('what a leader found in its log when it was elected does not count', () => {
    const leader = new SoloReplica({
      term: 1n,
      log: Array.from({ length: 50 }, () => 1n),
      limits: { uncommittedBytes: 100 },
    })
    leader.lead()
    expect(leader.propose('x')).toMatchObject({ index: 52n })
    leader.run()
    leader.acknowledge('2')
    leader.run()
    for (let each = 0; each < 3; each++)
      expect(leader.propose('x'), `${each}`).toMatchObject({ term: 2n })
    expect(leader.propose('x')).toMatchObject({ term: 2n })
    expect(leader.propose('x')).toBe('busy')
  })

  it('a proposal of several entries is taken whole, at places that follow each other', () => {
    const leader = leaderOf()
    expect(leader.raft.propose([dataOf('a'), dataOf('b'), dataOf('c')])).toEqual({
      index: 4n,
      term: 1n,
    })
    expect(leader.stored.entries).toHaveLength(1)
    leader.run()
    expect(leader.stored.entries.map(({ index }) => index)).toEqual([1n, 2n, 3n, 4n])
  })

  it('followers and candidates take no proposals (R14)', () => {
    const replica = new SoloReplica({ term: 1n })
    expect(replica.propose('x')).toBe('notLeader')
    replica.campaign()
    expect(replica.propose('x')).toBe('notLeader')
    expect(replica.run().messages).toEqual([])
  })

  it('committed entries are handed out in portions, one at least', () => {
    const replica = new SoloReplica({
      term: 1n,
      log: [1n, 1n, 1n, 1n, 1n],
      limits: { applyBytes: 64 },
    })
    replica.hear('2', appends([5n, 1n], [], 5n))
    const portions = Array.from({ length: 4 }, () =>
      replica.look().committed.map(({ index }) => index),
    )
    expect(portions).toEqual([[1n, 2n], [3n, 4n], [5n], []])
  })
})
