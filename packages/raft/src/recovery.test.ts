// A replica whose disk has lost entries that it had acknowledged (R12): it counts for nothing until it holds all that it may have lost.
import { describe, expect, it } from 'vitest'
import type { Draft, MessageOf } from './messages.ts'
import {
  accepts,
  appends,
  exchange,
  heartbeatMs,
  ofType,
  SoloReplica,
} from './testing/solo-replica.ts'

/** What a recovering replica answers. */
function recovering(matchIndex: bigint, recoveries = 1): Draft {
  return { type: 'appendReply', matchIndex, isRecovering: true, recoveries }
}

function heartbeat(commitIndex: bigint, recoverTo?: { recoveries: number; index: bigint }): Draft {
  return {
    type: 'heartbeat',
    commitIndex,
    round: 0,
    ...(recoverTo === undefined ? {} : { recoverTo }),
  }
}

function recoverToOf(messages: readonly MessageOf<'heartbeat'>[], to: string) {
  return messages.find((message) => message.to === to)?.recoverTo
}

describe('a leader', () => {
  it('counts no acknowledgement of a recovering replica', () => {
    const leader = new SoloReplica()
    leader.leadAll()
    leader.propose('x')
    leader.run()
    leader.hear('2', recovering(2n))
    leader.hear('2', recovering(2n))
    expect(leader.raft.log.commitIndex).toBe(1n)
    leader.hear('2', accepts(2n, 1))
    expect(leader.raft.log.commitIndex).toBe(2n)
  })

  it('counts nothing that was acknowledged before the loss', () => {
    const leader = new SoloReplica()
    leader.leadAll()
    leader.propose('a', 'b')
    leader.look()
    leader.hear('2', accepts(3n))
    leader.hear('2', recovering(0n))
    leader.hear('2', accepts(2n, 1))
    leader.write()
    expect(leader.raft.log.commitIndex).toBe(2n)
  })

  it('counts nothing that comes late from before the loss', () => {
    const leader = new SoloReplica()
    leader.leadAll()
    leader.propose('a', 'b')
    leader.run()
    leader.hear('2', recovering(0n))
    leader.hear('2', accepts(2n, 1))
    leader.hear('2', accepts(3n))
    expect(leader.raft.log.commitIndex).toBe(2n)
  })

  it('tells how far the loss may reach, when it knows what is committed itself', () => {
    const leader = new SoloReplica()
    leader.lead()
    leader.hear('2', recovering(0n, 4))
    leader.timeOut()
    expect(recoverToOf(ofType(leader.run(), 'heartbeat'), '2')).toBeUndefined()
    leader.acknowledge('3')
    leader.run()
    leader.pass(heartbeatMs)
    const beats = ofType(leader.run(), 'heartbeat')
    expect(recoverToOf(beats, '2')).toEqual({ recoveries: 4, index: 1n })
    expect(recoverToOf(beats, '3')).toBeUndefined()
  })

  it('sends a recovering replica what it lost, though nothing is proposed', () => {
    const leader = new SoloReplica()
    leader.leadAll()
    leader.hear('2', recovering(0n))
    expect(ofType(leader.run(), 'append').filter(({ to }) => to === '2')).toHaveLength(1)
  })
})

describe('a recovering replica', () => {
  const lost = () => new SoloReplica({ self: '2', term: 1n, log: [1n, 1n], isRecovering: true })

  it('says so, and how often it has lost entries, with all that it acknowledges', () => {
    const replica = new SoloReplica({ self: '2', term: 1n, isRecovering: true, recoveries: 3 })
    replica.hear('1', appends([0n, 0n], [1n]))
    for (const reply of ofType(replica.run(), 'appendReply')) {
      expect(reply).toMatchObject({ isRecovering: true, recoveries: 3 })
    }
  })

  it('asks again with each heartbeat until it is told how far', () => {
    const replica = lost()
    for (let beat = 0; beat < 3; beat++) {
      replica.hear('1', heartbeat(0n))
      expect(ofType(replica.run(), 'appendReply')).toHaveLength(1)
    }
    replica.hear('1', heartbeat(0n, { recoveries: 1, index: 9n }))
    expect(ofType(replica.run(), 'appendReply')).toEqual([])
  })

  it.each([
    ['is committed and on its disk', 3n, true, true],
    ['is not committed', 2n, true, false],
    ['is not on its disk', 3n, false, false],
  ] as const)('ends it when what it lost %s', (_, commitIndex, isWritten, isRecovered) => {
    const replica = lost()
    replica.hear('1', heartbeat(0n, { recoveries: 1, index: 3n }))
    replica.run()
    replica.hear('1', appends([2n, 1n], [1n], commitIndex))
    const { events } = isWritten ? replica.run() : replica.look()
    expect(events.map(({ type }) => type)).toEqual(isRecovered ? ['recovered'] : [])
    expect(replica.raft.isRecovering).toBe(!isRecovered)
  })

  it('does not believe what was said of an earlier loss', () => {
    const replica = new SoloReplica({
      self: '2',
      term: 1n,
      log: [1n],
      isRecovering: true,
      recoveries: 2,
    })
    replica.hear('1', appends([1n, 1n], [], 1n))
    replica.hear('1', heartbeat(1n, { recoveries: 1, index: 1n }))
    replica.run()
    expect(replica.raft.isRecovering).toBe(true)
    replica.hear('1', heartbeat(1n, { recoveries: 2, index: 1n }))
    replica.run()
    expect(replica.raft.isRecovering).toBe(false)
  })

  it('tells the leader at once that it counts again', () => {
    const replica = lost()
    replica.hear('1', appends([2n, 1n], [], 2n))
    replica.run()
    replica.hear('1', heartbeat(2n, { recoveries: 1, index: 2n }))
    const replies = ofType(replica.run(), 'appendReply')
    expect(replies.at(-1)).toMatchObject({ matchIndex: 2n, isRecovering: false, recoveries: 1 })
  })

  it('may campaign and vote again', () => {
    const replica = lost()
    replica.hear('1', appends([2n, 1n], [], 2n))
    replica.hear('1', heartbeat(2n, { recoveries: 1, index: 2n }))
    replica.run()
    replica.hear('3', { type: 'vote', lastIndex: 2n, lastTerm: 1n }, 2n)
    expect(ofType(replica.run(), 'voteReply').map(({ granted }) => granted)).toEqual([true])
    replica.timeOut()
    expect(replica.raft.role).toBe('candidate')
  })
})

it('a replica that lost entries gets them back in a cluster where nothing is written', () => {
  const [leader, replica] = [
    new SoloReplica({ self: '1' }),
    new SoloReplica({ self: '2' }),
  ] as const
  leader.campaign()
  leader.hear('3', { type: 'voteReply', granted: true })
  exchange([leader, replica])
  leader.propose('a', 'b')
  exchange([leader, replica])
  replica.restart({
    entries: replica.stored.entries.slice(0, 1),
    isRecovering: true,
    recoveries: 1,
  })
  for (let beat = 0; beat < 4; beat++) {
    leader.pass(heartbeatMs)
    exchange([leader, replica])
  }
  expect(replica.raft.isRecovering).toBe(false)
  expect(replica.stored.entries).toEqual(leader.stored.entries)
  expect(replica.raft.log.commitIndex).toBe(3n)
})
