// Voters that come and go, one at a time (R10; Raft thesis §4).
import { describe, expect, it } from 'vitest'
import type { Entry } from './entry.ts'
import type { Draft } from './messages.ts'
import {
  accepts,
  electionBaseMs,
  exchange,
  heartbeatMs,
  ofType,
  rejects,
  type SoloOptions,
  SoloReplica,
} from './testing/solo-replica.ts'

/** A leader of three that knows what is committed. */
function leaderOf(options: SoloOptions = {}): SoloReplica {
  const replica = new SoloReplica(options)
  replica.leadAll()
  return replica
}

/** A replica without a vote asks for the log, and has it. */
function observe(leader: SoloReplica, key: string): void {
  leader.hear(key, { type: 'observe' })
  leader.run()
  leader.acknowledge(key)
  leader.run()
}

function votersEntry(index: bigint, term: bigint, voters: string[]): Entry {
  return { index, term, kind: 'voters', voters }
}

describe('adding a voter', () => {
  it('is refused before an entry of the leader’s term is committed', () => {
    const leader = new SoloReplica({ term: 4n, log: [1n, 4n] })
    leader.lead()
    observe(leader, '4')
    expect(leader.raft.changeVoters({ add: '4' })).toBe('notReady')
    leader.acknowledge('2')
    expect(leader.raft.changeVoters({ add: '4' })).toMatchObject({ index: 4n })
  })

  it('is refused while another change is not committed', () => {
    const leader = leaderOf()
    observe(leader, '4')
    observe(leader, '5')
    leader.raft.changeVoters({ add: '4' })
    leader.run()
    expect(leader.raft.changeVoters({ add: '5' })).toBe('changeInProgress')
    expect(leader.raft.changeVoters({ remove: '2' })).toBe('changeInProgress')
    leader.acknowledge('2', '3')
    expect(leader.raft.changeVoters({ add: '5' })).toMatchObject({ index: 3n })
  })

  it('is refused for a voter, and by who does not lead', () => {
    const leader = leaderOf()
    expect(leader.raft.changeVoters({ add: '2' })).toBe('alreadyVoter')
    expect(leader.raft.changeVoters({ add: '1' })).toBe('alreadyVoter')
    expect(new SoloReplica().raft.changeVoters({ add: '4' })).toBe('notLeader')
  })

  it.each([
    ['that nobody follows', () => {}],
    ['whose log is not known to match', (leader) => leader.hear('4', { type: 'observe' })],
    [
      'that is recovering',
      (leader) => {
        observe(leader, '4')
        leader.hear('4', { type: 'appendReply', matchIndex: 1n, isRecovering: true, recoveries: 0 })
      },
    ],
    [
      'that has refused entries',
      (leader) => {
        observe(leader, '4')
        leader.propose('a')
        leader.run()
        leader.hear('4', rejects(2n, 1n, 1n))
      },
    ],
    [
      'that is far behind',
      (leader) => {
        observe(leader, '4')
        for (let each = 0; each < 5; each++) leader.propose('a')
        leader.run()
        leader.acknowledge('2')
        leader.run()
      },
    ],
  ] as [string, (leader: SoloReplica) => void][])('is refused for a replica %s', (_, prepare) => {
    const leader = leaderOf({ limits: { inflightMessages: 4 } })
    prepare(leader)
    expect(leader.raft.changeVoters({ add: '4' })).toBe('lagging')
    expect(leader.raft.voters).toEqual(['1', '2', '3'])
  })

  it('is in force as soon as it is appended: its own commit needs a majority with the new one', () => {
    const leader = leaderOf()
    observe(leader, '4')
    leader.raft.changeVoters({ add: '4' })
    leader.run()
    leader.acknowledge('2')
    expect(leader.raft.log.commitIndex).toBe(1n)
    leader.acknowledge('4')
    expect(leader.raft.log.commitIndex).toBe(2n)
  })

  it('a replica that only observes is counted for nothing', () => {
    const leader = leaderOf()
    observe(leader, '4')
    observe(leader, '5')
    leader.propose('x')
    leader.raft.read(1)
    leader.run()
    leader.acknowledge('4', '5')
    for (const key of ['4', '5']) leader.hear(key, { type: 'heartbeatReply', round: 1 })
    expect(leader.raft.log.commitIndex).toBe(1n)
    expect(leader.run().reads).toEqual([])
    for (let passed = 0; passed <= 2 * electionBaseMs; passed += heartbeatMs) {
      leader.pass(heartbeatMs)
      for (const key of ['4', '5']) leader.hear(key, { type: 'heartbeatReply', round: 0 })
    }
    expect(leader.raft.role).toBe('follower')
  })
})

describe('removing a voter', () => {
  it('is refused for what is no voter, for the last one, and where too few of the others answer', () => {
    expect(leaderOf().raft.changeVoters({ remove: '9' })).toBe('unknownVoter')
    expect(leaderOf({ voters: ['1'] }).raft.changeVoters({ remove: '1' })).toBe('lastVoter')
    const leader = leaderOf({ voters: ['1', '2', '3', '4'] })
    leader.nowMs += electionBaseMs
    leader.hear('2', { type: 'heartbeatReply', round: 0 })
    expect(leader.raft.changeVoters({ remove: '2' })).toBe('noMajority')
    expect(leader.raft.changeVoters({ remove: '3' })).toMatchObject({ index: 2n })
  })

  it('is refused by a leader that cannot know what is committed', () => {
    const leader = new SoloReplica()
    leader.lead()
    expect(leader.raft.changeVoters({ remove: '3' })).toBe('notReady')
  })

  it('a change that its leader left behind is committed by the next one before another is begun', () => {
    const leader = new SoloReplica({ term: 1n })
    const entries = [votersEntry(1n, 1n, ['1', '2', '3', '4'])]
    leader.hear('2', { type: 'append', prevIndex: 0n, prevTerm: 0n, entries, commitIndex: 0n })
    leader.run()
    leader.lead()
    expect(leader.raft.term).toBe(2n)
    leader.hear('2', accepts(1n))
    expect(leader.raft.changeVoters({ remove: '4' })).toBe('notReady')
    leader.acknowledge('2')
    expect(leader.raft.changeVoters({ remove: '4' })).toBe('notReady')
    leader.acknowledge('3')
    expect(leader.raft.changeVoters({ remove: '4' })).toMatchObject({ index: 3n })
  })

  it('a leader that removes itself leads on, counts for nothing, and hands over to who has most', () => {
    const leader = leaderOf()
    leader.propose('x')
    leader.raft.changeVoters({ remove: '1' })
    expect(leader.raft.voters).toEqual(['2', '3'])
    leader.raft.read(1)
    leader.run()
    leader.acknowledge('3')
    leader.hear('3', { type: 'heartbeatReply', round: 1 })
    expect(leader.run().reads).toEqual([])
    expect(leader.raft.role).toBe('leader')
    expect(leader.raft.log.commitIndex).toBe(1n)
    leader.propose('y')
    leader.run()
    leader.acknowledge('3')
    leader.hear('2', accepts(3n))
    const done = leader.run()
    expect(leader.raft.log.commitIndex).toBe(3n)
    expect(leader.raft.role).toBe('follower')
    expect(ofType(done, 'timeoutNow').map(({ to }) => to)).toEqual(['3'])
    expect(done.failedReads).toEqual([1])
  })

  it('a voter that was away when it was removed is sent the log that tells it (KIP-853)', () => {
    const replicas = ['1', '2', '3'].map((self) => new SoloReplica({ self }))
    const [one, two, three] = replicas as [SoloReplica, SoloReplica, SoloReplica]
    one.timeOut()
    exchange(replicas)
    one.raft.changeVoters({ remove: '3' })
    exchange([one, two])
    // The leader forgets about it, as it does not vote and says nothing for long.
    for (let passed = 0; passed < 11 * electionBaseMs; passed += heartbeatMs) {
      for (const replica of [one, two]) {
        replica.nowMs += heartbeatMs
        if (replica.raft.deadlineMs <= replica.nowMs) replica.raft.elapsed(replica.nowMs)
      }
      exchange([one, two])
    }
    expect([...one.raft.progress.keys()]).toEqual(['2'])
    three.nowMs = one.nowMs
    three.timeOut()
    exchange(replicas)
    expect(three.raft.voters).toEqual(['1', '2'])
    expect(three.raft.log.commitIndex).toBe(2n)
    expect(three.raft.role).toBe('follower')
    expect(one.raft.role).toBe('leader')
  })

  it('a voter that was removed may be added again', () => {
    const leader = leaderOf()
    leader.raft.changeVoters({ remove: '3' })
    leader.run()
    leader.acknowledge('2', '3')
    leader.run()
    expect(leader.raft.changeVoters({ add: '3' })).toMatchObject({ index: 3n })
    expect(leader.raft.voters).toEqual(['1', '2', '3'])
  })
})

describe('voters in the log', () => {
  const append = (entries: Entry[], prevIndex: bigint, prevTerm: bigint): Draft => {
    return { type: 'append', prevIndex, prevTerm, entries, commitIndex: 0n }
  }
  const told = (replica: SoloReplica) =>
    replica.run().events.flatMap((event) => (event.type === 'voters' ? [event.voters.join()] : []))

  it('a change that is cut off is taken back, and that is told', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.hear('2', append([votersEntry(1n, 1n, ['1', '2', '3', '4'])], 0n, 0n))
    replica.hear('2', append([votersEntry(2n, 1n, ['1', '2', '3'])], 1n, 1n))
    expect(told(replica)).toEqual(['1,2,3,4', '1,2,3'])
    replica.hear('3', append([{ index: 2n, term: 2n, kind: 'noop' }], 1n, 1n), 2n)
    expect(told(replica)).toEqual(['1,2,3,4'])
    replica.hear('2', append([votersEntry(1n, 3n, ['1', '2'])], 0n, 0n), 3n)
    expect(told(replica)).toEqual(['1,2,3', '1,2'])
    expect(replica.raft.voters).toEqual(['1', '2'])
  })

  it('what is cut off beside them is not told', () => {
    const replica = new SoloReplica({ term: 1n, log: [1n, 1n] })
    replica.hear('3', append([{ index: 2n, term: 2n, kind: 'noop' }], 1n, 1n), 2n)
    expect(told(replica)).toEqual([])
  })

  it('come with a snapshot', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.raft.snapshotInstalled({ index: 4n, term: 1n, voters: ['1', '5'] })
    expect(told(replica)).toEqual(['1,5'])
    expect(replica.raft.votersAt(4n)).toEqual(['1', '5'])
  })

  it('are known at each place of the log, for snapshots of the state there', () => {
    const leader = leaderOf()
    leader.raft.changeVoters({ remove: '3' })
    leader.propose('x')
    leader.run()
    leader.acknowledge('2')
    leader.run()
    expect([1n, 2n, 3n].map((index) => leader.raft.votersAt(index).join())).toEqual([
      '1,2,3',
      '1,2',
      '1,2',
    ])
  })

  it('live through a crash', () => {
    const leader = leaderOf()
    leader.raft.changeVoters({ remove: '3' })
    leader.run()
    leader.restart()
    expect(leader.raft.voters).toEqual(['1', '2'])
  })
})

describe('observers', () => {
  it('are no more than the limit', () => {
    const leader = leaderOf({ limits: { observers: 2 } })
    for (const key of ['4', '5', '6', '4']) leader.hear(key, { type: 'observe' })
    expect([...leader.raft.progress.keys()]).toEqual(['2', '3', '4', '5'])
  })

  it('are forgotten when they say nothing for long, and voters are not', () => {
    const leader = leaderOf({ limits: { observers: 1 } })
    leader.hear('4', { type: 'observe' })
    for (let passed = 0; passed < 10 * electionBaseMs; passed += heartbeatMs) {
      leader.pass(heartbeatMs)
      leader.hear('2', { type: 'heartbeatReply', round: 0 })
    }
    expect([...leader.raft.progress.keys()]).toEqual(['2', '3', '4'])
    leader.pass(heartbeatMs)
    expect([...leader.raft.progress.keys()]).toEqual(['2', '3'])
    leader.hear('5', { type: 'observe' })
    expect([...leader.raft.progress.keys()]).toEqual(['2', '3', '5'])
  })

  it('who is asked but does not lead names the leader, if it knows one', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.hear('9', { type: 'observe' })
    expect(replica.run().messages).toEqual([])
    replica.hear('2', { type: 'heartbeat', commitIndex: 0n, round: 0 })
    replica.run()
    replica.hear('9', { type: 'observe' }, 0n)
    expect(replica.run().messages).toMatchObject([{ type: 'redirect', to: '9', leader: '2' }])
  })

  it('get the whole log, and what comes after', () => {
    const leader = new SoloReplica({ self: '1', voters: ['1'], log: [1n, 1n], term: 1n })
    const observer = new SoloReplica({ self: '9', voters: [], contacts: ['1'] })
    leader.lead()
    observer.timeOut()
    exchange([leader, observer])
    leader.propose('x')
    exchange([leader, observer])
    expect(observer.stored.entries).toEqual(leader.stored.entries)
    expect(observer.raft.log.commitIndex).toBe(4n)
    expect(observer.raft.role).toBe('follower')
  })
})
