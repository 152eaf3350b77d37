// Elections beyond the paper's sentences: pre-votes, stickiness, votes that wait for the disk, and who may not campaign (R1, R2, R6).
import { describe, expect, it } from 'vitest'
import type { Draft } from './messages.ts'
import {
  appends,
  electionBaseMs,
  entriesOf,
  exchange,
  heartbeatMs,
  ofType,
  type SoloOptions,
  SoloReplica,
} from './testing/solo-replica.ts'

const roles = ['follower', 'candidate', 'leader'] as const
const emptyLog = { lastIndex: 0n, lastTerm: 0n }
const heartbeat: Draft = { type: 'heartbeat', commitIndex: 0n, round: 0 }

function inRole(role: (typeof roles)[number], options: SoloOptions = {}): SoloReplica {
  const replica = new SoloReplica({ term: 1n, ...options })
  if (role === 'candidate') replica.campaign()
  if (role === 'leader') replica.lead()
  replica.run()
  return replica
}

function grantsOf(replica: SoloReplica): boolean[] {
  return replica
    .run()
    .messages.flatMap((message) => ('granted' in message ? [message.granted] : []))
}

/** A cluster of these replicas, all of which know each other. */
function cluster(size: number, options: (position: number) => SoloOptions): SoloReplica[] {
  const voters = Array.from({ length: size }, (_, position) => `${position + 1}`)
  return voters.map((self, position) => new SoloReplica({ self, voters, ...options(position) }))
}

describe('votes', () => {
  it.each(roles)('a %s votes for who asks in a newer term, and follows', (role) => {
    const replica = inRole(role)
    replica.hear('2', { type: 'vote', lastIndex: 9n, lastTerm: 9n }, 7n)
    expect(grantsOf(replica)).toEqual([true])
    expect(replica.raft.role).toBe('follower')
    expect(replica.stored.hardState).toEqual({ term: 7n, vote: '2' })
  })

  it('adopts the newer term of a candidate that it does not vote for', () => {
    const replica = new SoloReplica({ term: 1n, log: [1n] })
    replica.hear('2', { type: 'vote', ...emptyLog }, 7n)
    expect(grantsOf(replica)).toEqual([false])
    expect(replica.stored.hardState).toEqual({ term: 7n, vote: undefined })
  })

  it('votes for nobody else in the term of a leader that it knows', () => {
    const replica = new SoloReplica({ term: 3n })
    replica.hear('2', heartbeat)
    replica.run()
    replica.hear('3', { type: 'vote', ...emptyLog })
    expect(grantsOf(replica)).toEqual([false])
  })

  it('gives whom it voted for the time to win', () => {
    const patient = new SoloReplica({ term: 2n })
    patient.nowMs = patient.raft.deadlineMs - 1
    patient.hear('2', { type: 'vote', ...emptyLog })
    expect(patient.raft.deadlineMs - patient.nowMs).toBeGreaterThanOrEqual(electionBaseMs)
    patient.hear('3', { type: 'vote', ...emptyLog })
    expect(grantsOf(patient)).toEqual([true, false])
  })

  it('says nothing of a vote before the disk has it (R1)', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.hear('2', { type: 'vote', ...emptyLog }, 2n)
    expect(replica.look().messages).toEqual([])
    expect(replica.isWriting).toBe(true)
    replica.write()
    expect(grantsOf(replica)).toEqual([true])
  })

  it('says nothing of a vote while an older write is still under way (R1)', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.hear('2', heartbeat, 2n)
    replica.look()
    replica.hear('3', { type: 'vote', ...emptyLog }, 3n)
    replica.write()
    expect(replica.look().messages).toEqual([])
    replica.write()
    expect(grantsOf(replica)).toEqual([true])
  })

  it('says nothing of a vote while it is being written, whoever asks again (R1)', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.hear('2', { type: 'vote', ...emptyLog }, 2n)
    replica.look()
    replica.hear('2', { type: 'vote', ...emptyLog }, 2n)
    expect(replica.look().messages).toEqual([])
    replica.write()
    expect(grantsOf(replica)).toEqual([true, true])
  })

  it('asks for no votes before its own is on the disk (R1)', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.timeOut()
    replica.hear('2', { type: 'preVoteReply', granted: true }, 2n)
    expect(ofType(replica.look(), 'vote')).toEqual([])
    replica.write()
    expect(ofType(replica.look(), 'vote')).toHaveLength(2)
  })

  it('the only voter leads when its vote is on the disk, and not before', () => {
    const replica = new SoloReplica({ voters: ['1'] })
    replica.timeOut()
    replica.look()
    expect(replica.raft.role).toBe('candidate')
    replica.write()
    expect(replica.raft.role).toBe('leader')
    expect(replica.run().messages).toEqual([])
  })

  it('the only voter does not lead when something else is on the disk than its vote', () => {
    const replica = new SoloReplica({ voters: ['1'] })
    replica.hear('9', heartbeat, 5n)
    replica.look()
    replica.timeOut()
    expect(replica.raft.term).toBe(6n)
    replica.write()
    expect(replica.stored.hardState.term).toBe(5n)
    expect(replica.raft.role).toBe('candidate')
    replica.run()
    expect(replica.raft.role).toBe('leader')
  })

  it('does not count its own vote when it has lost before the disk had it', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.timeOut()
    replica.hear('2', { type: 'preVoteReply', granted: true }, 2n)
    replica.look()
    replica.hear('3', heartbeat, 2n)
    replica.write()
    replica.run()
    expect(replica.raft.role).toBe('follower')
    expect(replica.raft.leader).toBe('3')
    expect(replica.stored.hardState).toEqual({ term: 2n, vote: '1' })
  })

  it('votes of an older term, or that come when the election is over, count for nothing', () => {
    const late = inRole('candidate')
    late.hear('2', { type: 'voteReply', granted: true }, 1n)
    expect(late.raft.role).toBe('candidate')
    late.hear('2', { type: 'voteReply', granted: false })
    late.hear('3', { type: 'voteReply', granted: false })
    expect(late.raft.role).toBe('follower')
    late.hear('2', { type: 'voteReply', granted: true })
    late.hear('3', { type: 'voteReply', granted: true })
    expect(late.raft.role).toBe('follower')
  })
})

describe('pre-votes (R2)', () => {
  it.each([
    ['follower', true],
    ['candidate', true],
    ['leader', false],
  ] as const)('a %s says whether it would vote, and stays what it is (%s)', (role, granted) => {
    const replica = inRole(role)
    const { term, vote } = replica.raft
    replica.hear('2', { type: 'preVote', lastIndex: 9n, lastTerm: 9n }, 7n)
    expect(grantsOf(replica)).toEqual([granted])
    expect({ role: replica.raft.role, term, vote }).toEqual({
      role,
      term: replica.raft.term,
      vote: replica.raft.vote,
    })
  })

  it('grants only terms that would be new to it', () => {
    const replica = new SoloReplica({ term: 5n })
    for (const term of [4n, 5n, 6n]) replica.hear('2', { type: 'preVote', ...emptyLog }, term)
    expect(grantsOf(replica)).toEqual([false, false, true])
  })

  it('a refusal of a newer term is adopted, and ends the campaign', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.timeOut()
    replica.hear('2', { type: 'preVoteReply', granted: false }, 8n)
    expect(replica.raft.role).toBe('follower')
    expect(replica.raft.term).toBe(8n)
  })

  it('a promise for an election that is over counts for nothing in the next', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.campaign()
    replica.timeOut()
    expect(ofType(replica.run(), 'preVote').map(({ term }) => term)).toEqual([3n, 3n])
    replica.hear('2', { type: 'preVoteReply', granted: true }, 2n)
    expect(replica.raft.term).toBe(2n)
    replica.hear('2', { type: 'preVoteReply', granted: true }, 3n)
    expect(replica.raft.term).toBe(3n)
  })

  it('is tried again soon: it disturbs nobody', () => {
    const replica = new SoloReplica({ term: 1n })
    for (let again = 0; again < 20; again++) {
      replica.timeOut()
      expect(ofType(replica.run(), 'preVote')).toHaveLength(2)
      expect(replica.raft.deadlineMs - replica.nowMs).toBeLessThan(electionBaseMs / 2)
      expect(replica.raft.deadlineMs - replica.nowMs).toBeGreaterThanOrEqual(electionBaseMs / 4)
    }
    expect(replica.raft.term).toBe(1n)
  })

  it('two that campaign at once: the one with less is denied, the other leads in the next term', () => {
    const replicas = cluster(3, (position) => ({ term: 1n, log: position === 2 ? [1n] : [1n, 1n] }))
    const [one, , three] = replicas as [SoloReplica, SoloReplica, SoloReplica]
    one.timeOut()
    three.timeOut()
    const carried = exchange(
      replicas,
      ({ from, to }) => `${from}${to}` !== '13' && `${from}${to}` !== '31',
    )
    expect(one.raft.role).toBe('leader')
    expect(three.raft.role).toBe('candidate')
    expect(carried.filter(({ type, from }) => type === 'vote' && from === '3')).toEqual([])
    exchange(replicas)
    one.pass(heartbeatMs)
    exchange(replicas)
    expect(replicas.map(({ raft }) => [raft.term, raft.leader])).toEqual(Array(3).fill([2n, '1']))
    expect(three.terms()).toEqual([1n, 1n, 2n])
  })

  it('who was alone for long has raised no term, and joins again without an election', () => {
    const replicas = cluster(3, () => ({}))
    const [one, , three] = replicas as [SoloReplica, SoloReplica, SoloReplica]
    one.timeOut()
    exchange(replicas)
    for (let passed = 0; passed < 10 * electionBaseMs; passed += heartbeatMs) {
      for (const replica of replicas) {
        replica.nowMs += heartbeatMs
        if (replica.raft.deadlineMs <= replica.nowMs) replica.raft.elapsed(replica.nowMs)
      }
      exchange(replicas, ({ from, to }) => from !== '3' && to !== '3')
    }
    expect(three.raft.role).toBe('candidate')
    expect(three.raft.term).toBe(1n)
    one.pass(heartbeatMs)
    exchange(replicas)
    expect(replicas.map(({ raft }) => [raft.term, raft.leader])).toEqual(Array(3).fill([1n, '1']))
  })

  it('a replica of a newer term than the leader frees itself: the leader follows, and one election brings all together', () => {
    const replicas = cluster(3, () => ({}))
    const [one, two, three] = replicas as [SoloReplica, SoloReplica, SoloReplica]
    one.timeOut()
    exchange([one, two])
    three.raft.step(
      { type: 'voteReply', granted: false, from: '2', to: '3', term: 6n },
      three.nowMs,
    )
    three.run()
    one.pass(heartbeatMs)
    exchange(replicas)
    expect(one.raft.role).toBe('follower')
    expect(one.raft.term).toBe(6n)
    two.nowMs += electionBaseMs
    one.timeOut()
    exchange(replicas)
    expect(replicas.map(({ raft }) => [raft.term, raft.leader])).toEqual(Array(3).fill([7n, '1']))
  })
})

it('a new leader overwrites entries of newer terms than its followers voted in', () => {
  // Of term 1 in 1, 2 and 4; then 3 led term 2 alone, and 4 and 5 only voted in it.
  const logs = [[1n], [1n], [2n], [1n], []]
  const replicas = cluster(5, (position) => ({
    term: position > 1 ? 2n : 1n,
    log: logs[position] as bigint[],
    ...(position > 1 ? { vote: '3' } : {}),
  }))
  const one = replicas[0] as SoloReplica
  one.timeOut()
  exchange(replicas)
  // Refused: the majority is of term 2 by now, and so is it.
  expect(one.raft.role).toBe('follower')
  expect(one.raft.term).toBe(2n)
  one.timeOut()
  exchange(replicas)
  expect(one.raft.role).toBe('leader')
  for (const replica of replicas) expect(replica.terms()).toEqual([1n, 3n])
})

describe('who may not campaign', () => {
  it('a replica that is no voter looks for the leader instead', () => {
    const replica = new SoloReplica({ self: '9', term: 1n })
    for (let again = 0; again < 4; again++) {
      replica.timeOut()
      const { messages } = replica.run()
      expect(messages.map(({ type, to }) => `${type} ${to}`)).toEqual([
        `observe ${(again % 3) + 1}`,
      ])
    }
    expect(replica.raft.role).toBe('follower')
  })

  it.each([
    ['no voter', { self: '9' }],
    ['recovering', { isRecovering: true }],
  ] as const)('a replica that is %s forgets a leader that is silent', (_, options) => {
    const replica = new SoloReplica({ term: 1n, ...options })
    const forgotten = { type: 'role', role: 'follower', term: 1n, leader: undefined }
    const lastWord = { type: 'heartbeat', round: 1, commitIndex: 0n } as const
    replica.hear('2', lastWord)
    replica.pass(electionBaseMs - 1)
    expect(replica.run().events).not.toContainEqual(forgotten)
    expect(replica.raft.leader).toBe('2')
    replica.pass(1)
    expect(replica.run().events).toEqual([forgotten])
    expect(replica.raft.leader).toBeUndefined()
    // Once is enough, and whoever is heard again leads again.
    replica.timeOut()
    expect(replica.run().events).toEqual([])
    replica.hear('2', lastWord)
    expect(replica.raft.leader).toBe('2')
    replica.raft.forgetLeader('2', replica.nowMs)
    expect(replica.run().events).toEqual([forgotten])
  })

  it('a replica without voters asks those it was told of', () => {
    const replica = new SoloReplica({ self: '9', voters: [], contacts: ['1', '9', '2'] })
    const asked = Array.from({ length: 3 }, () => {
      replica.timeOut()
      return replica.run().messages.map(({ to }) => to)
    })
    expect(asked).toEqual([['1'], ['2'], ['1']])
  })

  it.each([
    ['no voter', { self: '9' }],
    ['recovering', { isRecovering: true }],
  ] as const)('a replica that is %s takes no leadership that is handed to it', (_, options) => {
    const replica = new SoloReplica({ term: 1n, ...options })
    replica.hear('2', { type: 'timeoutNow' })
    expect(replica.raft.role).toBe('follower')
    expect(replica.run().messages).toEqual([])
  })

  it('a recovering replica votes for nobody, and promises nothing (R12)', () => {
    const replica = new SoloReplica({ term: 1n, isRecovering: true })
    replica.hear('2', { type: 'preVote', lastIndex: 9n, lastTerm: 9n }, 2n)
    replica.hear('2', { type: 'vote', lastIndex: 9n, lastTerm: 9n }, 2n)
    expect(grantsOf(replica)).toEqual([false, false])
    expect(replica.stored.hardState.vote).toBeUndefined()
  })

  it('a voter whose removal is in its log, committed or not, campaigns only while it is not known to be committed', () => {
    const replica = new SoloReplica({ term: 1n })
    const removal = { index: 1n, term: 1n, kind: 'voters', voters: ['2', '3'] } as const
    const append = { type: 'append', prevIndex: 0n, prevTerm: 0n, entries: [removal] } as const
    replica.hear('2', { ...append, commitIndex: 0n })
    replica.run()
    replica.timeOut()
    expect(ofType(replica.run(), 'preVote').map(({ to }) => to)).toEqual(['2', '3'])
    replica.hear('2', { ...append, commitIndex: 1n })
    replica.run()
    replica.timeOut()
    expect(replica.raft.role).toBe('follower')
    expect(replica.run().messages.map(({ type }) => type)).toEqual(['observe'])
  })

  it('a candidate that learns from a snapshot that it votes no more gives up', () => {
    const replica = inRole('candidate')
    replica.raft.snapshotInstalled({ index: 3n, term: 1n, voters: ['2', '3'] })
    replica.timeOut()
    expect(replica.raft.role).toBe('follower')
    replica.timeOut()
    expect(replica.run().messages.map(({ type }) => type)).toEqual(['observe'])
  })

  it('what was meant for another disk of its node is not for it (R11)', () => {
    const replica = new SoloReplica({ self: '1/b', voters: ['1/a', '2/a', '3/a'], term: 1n })
    const vote = { type: 'vote', ...emptyLog, from: '2/a', to: '1/a', term: 2n } as const
    replica.raft.step(vote, replica.nowMs)
    expect(replica.run().messages).toEqual([])
    expect(replica.raft.term).toBe(1n)
  })

  it('asks nobody but others: whoever means it as the leader is behind (R11)', () => {
    const replica = new SoloReplica({ self: '9', term: 1n })
    replica.hear('2', { type: 'redirect', leader: '9' })
    expect(replica.run().messages).toEqual([])
    replica.hear('2', { type: 'redirect', leader: '3' })
    expect(replica.run().messages.map(({ type, to }) => `${type} ${to}`)).toEqual(['observe 3'])
  })
})

describe('two that want to lead', () => {
  const asked = { ...emptyLog, type: 'preVote' } as const

  it('whoever would vote for another one waits for it, but not long', () => {
    const follower = new SoloReplica({ term: 1n })
    follower.nowMs = follower.raft.deadlineMs - 1
    follower.hear('2', asked, 2n)
    expect(follower.raft.deadlineMs - follower.nowMs).toBeGreaterThanOrEqual(electionBaseMs / 4)
    expect(follower.raft.deadlineMs - follower.nowMs).toBeLessThan(electionBaseMs / 2)
  })

  it('of two with equal logs the first among the voters goes on', () => {
    const rivals = cluster(3, () => ({ term: 1n }))
    for (const rival of rivals) rival.timeOut()
    for (const rival of rivals) rival.run()
    rivals[0]?.hear('2', asked, 2n)
    rivals[1]?.hear('1', asked, 2n)
    expect(rivals.map(({ raft }) => raft.role)).toEqual(['candidate', 'follower', 'candidate'])
    // What was said to it before counts no more.
    rivals[1]?.run()
    rivals[1]?.hear('1', { type: 'preVoteReply', granted: true }, 2n)
    rivals[1]?.hear('3', { type: 'preVoteReply', granted: true }, 2n)
    expect(rivals[1]?.run().messages).toEqual([])
  })

  it('the one with the better log goes on, whatever its place', () => {
    const first = new SoloReplica({ term: 1n, log: [1n] })
    first.timeOut()
    first.run()
    first.hear('3', { type: 'preVote', lastIndex: 2n, lastTerm: 1n }, 2n)
    expect(first.raft.role).toBe('follower')
    const last = new SoloReplica({ self: '3', term: 1n, log: [1n] })
    last.timeOut()
    last.run()
    last.hear('1', asked, 2n)
    expect(last.raft.role).toBe('candidate')
    expect(grantsOf(last)).toEqual([false])
  })

  it('makes way for no replica that does not vote', () => {
    const candidate = new SoloReplica({ self: '2', term: 1n })
    candidate.timeOut()
    candidate.run()
    candidate.hear('0', asked, 2n)
    expect(candidate.raft.role).toBe('candidate')
    expect(grantsOf(candidate)).toEqual([true])
  })

  it('whoever campaigns already does not give up', () => {
    const candidate = inRole('candidate', { self: '3' })
    candidate.hear('1', asked, candidate.raft.term + 1n)
    expect(candidate.raft.role).toBe('candidate')
  })
})

describe('a leader that is known to be dead (R6)', () => {
  function forgetful(self: string): SoloReplica {
    const replica = new SoloReplica({ self, term: 1n, voters: ['1', '2', '3', '4'] })
    replica.hear('1', heartbeat)
    replica.run()
    replica.raft.forgetLeader('1', replica.nowMs)
    return replica
  }

  it('the voters take turns, without waiting for the time-out', () => {
    const waits = ['2', '3', '4'].map((self) => {
      const replica = forgetful(self)
      return replica.raft.deadlineMs - replica.nowMs
    })
    waits.forEach((ms, rank) => {
      expect(ms).toBeGreaterThanOrEqual(15 * rank)
      expect(ms).toBeLessThan(15 * rank + 10)
    })
  })

  it('who has forgotten it helps to depose it', () => {
    const replica = forgetful('2')
    expect(replica.raft.leader).toBeUndefined()
    replica.hear('3', { type: 'preVote', ...emptyLog }, 2n)
    expect(grantsOf(replica)).toEqual([true])
  })

  it('who hears it again remembers it', () => {
    const replica = forgetful('2')
    replica.hear('1', heartbeat)
    replica.run()
    expect(replica.raft.leader).toBe('1')
    expect(replica.raft.deadlineMs - replica.nowMs).toBeGreaterThanOrEqual(electionBaseMs)
    replica.hear('3', { type: 'preVote', ...emptyLog }, 2n)
    expect(grantsOf(replica)).toEqual([false])
  })

  it('the death of another changes nothing, nor does it where nobody is followed', () => {
    const follower = new SoloReplica({ self: '2', term: 1n })
    follower.hear('1', heartbeat)
    follower.raft.forgetLeader('3', follower.nowMs)
    expect(follower.raft.leader).toBe('1')
    const leader = inRole('leader')
    leader.raft.forgetLeader('1', leader.nowMs)
    expect(leader.raft.role).toBe('leader')
  })
})

describe('the first election', () => {
  it('the voters take turns after a heartbeat, so that a leader that lives is heard first', () => {
    const waits = cluster(3, () => ({ term: 4n })).map(({ raft, nowMs }) => raft.deadlineMs - nowMs)
    waits.forEach((ms, rank) => {
      expect(ms).toBeGreaterThanOrEqual(heartbeatMs + 15 * rank)
      expect(ms).toBeLessThan(heartbeatMs + 15 * rank + 10)
    })
  })

  it('the only voter need not wait', () => {
    const replica = new SoloReplica({ voters: ['1'], log: [1n] })
    expect(replica.raft.deadlineMs).toBe(replica.nowMs)
  })
})

it('appends of an older term are answered with the newer one, and leave the log alone', () => {
  const replica = new SoloReplica({ term: 3n, log: [1n, 3n] })
  replica.hear('2', { ...appends([1n, 1n], []), entries: entriesOf([2n], 1n) } as Draft, 2n)
  expect(replica.run().messages.map(({ type, term }) => [type, term])).toEqual([
    ['heartbeatReply', 3n],
  ])
  expect(replica.terms()).toEqual([1n, 3n])
})
