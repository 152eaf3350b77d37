// Snapshots: taken, sent in pieces, installed (R9 of the protocol; Raft §7).
import { crc32c } from '@naru/base'
import { describe, expect, it } from 'vitest'
import type { Snapshot } from './entry.ts'
import { accepts, appends, exchange, ofType, SoloReplica } from './testing/solo-replica.ts'

const voters = ['1', '2', '3']
const data = Buffer.from('abcdefghij')

function snapshotOf(index: bigint, term = 1n): Snapshot {
  return { index, term, voters }
}

/** Bytes [offset, end) of a snapshot of ten bytes. */
function piece(snapshot: Snapshot, offset: number, end: number) {
  const bytes = data.subarray(offset, end)
  const isLast = end === data.length
  return { type: 'snapshot', snapshot, offset, data: bytes, crc: crc32c(bytes), isLast } as const
}

const whole = (snapshot: Snapshot) => piece(snapshot, 0, data.length)

describe('a snapshot that arrives', () => {
  it('takes the place of a log that ends before it', () => {
    const replica = new SoloReplica({ term: 1n, log: [1n, 1n] })
    replica.hear('2', whole(snapshotOf(4n)))
    expect(replica.run().received).toHaveLength(1)
    replica.raft.snapshotInstalled(snapshotOf(4n))
    expect(ofType(replica.run(), 'appendReply').map(({ matchIndex }) => matchIndex)).toEqual([4n])
    expect(replica.stored).toMatchObject({ snapshot: snapshotOf(4n), entries: [] })
    replica.hear('2', appends([4n, 1n], [1n], 5n))
    expect(replica.run().committed.map(({ index }) => index)).toEqual([5n])
  })

  it('takes the place of a log that has another entry there', () => {
    const replica = new SoloReplica({ term: 3n, log: [1n, 2n, 2n, 2n] })
    replica.hear('2', whole(snapshotOf(3n, 3n)))
    replica.run()
    replica.raft.snapshotInstalled(snapshotOf(3n, 3n))
    replica.run()
    expect(replica.raft.log).toMatchObject({ baseIndex: 3n, lastIndex: 3n, durableIndex: 3n })
    expect(replica.stored.entries).toEqual([])
  })

  it('leaves a log alone that came to agree with it: its entries are acknowledged', () => {
    const replica = new SoloReplica({ term: 1n, log: [1n, 1n] })
    replica.hear('2', whole(snapshotOf(4n)))
    replica.run()
    replica.hear('2', appends([2n, 1n], [1n, 1n, 1n, 1n], 2n))
    const acknowledged = ofType(replica.run(), 'appendReply').at(-1)?.matchIndex
    expect(acknowledged).toBe(6n)
    replica.raft.snapshotInstalled(snapshotOf(4n))
    const { committed } = replica.run()
    expect(committed).toEqual([])
    expect(replica.raft.log).toMatchObject({ lastIndex: 6n, durableIndex: 6n, commitIndex: 4n })
    expect(replica.stored.entries.at(-1)?.index).toBe(6n)
    replica.hear('2', { type: 'heartbeat', commitIndex: 6n, round: 0 })
    expect(replica.run().committed.map(({ index }) => index)).toEqual([5n, 6n])
  })

  it('counts as on the disk where it covers entries that are being written', () => {
    const replica = new SoloReplica({ term: 1n, log: [1n, 1n] })
    replica.hear('2', whole(snapshotOf(4n)))
    replica.run()
    replica.hear('2', appends([2n, 1n], [1n, 1n, 1n, 1n], 2n))
    replica.look()
    replica.raft.snapshotInstalled(snapshotOf(4n))
    const early = replica.look()
    expect(ofType(early, 'appendReply').at(-1)?.matchIndex).toBe(4n)
    replica.write()
    expect(ofType(replica.run(), 'appendReply').at(-1)?.matchIndex).toBe(6n)
  })

  it.each(['candidate', 'leader'] as const)(
    'is installed when the replica has become a %s',
    (role) => {
      const replica = new SoloReplica({ term: 1n, log: [1n, 1n] })
      replica.hear('2', whole(snapshotOf(4n)))
      replica.run()
      if (role === 'candidate') replica.campaign()
      else {
        replica.hear('2', appends([2n, 1n], [1n, 1n, 1n], 2n))
        replica.lead()
      }
      expect(replica.raft.role).toBe(role)
      replica.raft.snapshotInstalled(snapshotOf(4n))
      replica.run()
      const term = replica.raft.term + 1n
      replica.hear('3', appends([4n, 1n], [term], 5n), term)
      expect(replica.run().committed.map(({ index }) => index)).toEqual([5n])
    },
  )

  it('is reported and nothing more when the log is committed beyond it', () => {
    const replica = new SoloReplica({ term: 1n, log: [1n, 1n] })
    replica.hear('2', whole(snapshotOf(4n)))
    replica.run()
    replica.hear('2', appends([2n, 1n], [1n, 1n, 1n], 5n))
    expect(replica.run().committed).toHaveLength(5)
    replica.raft.snapshotInstalled(snapshotOf(4n))
    replica.run()
    expect(replica.raft.log).toMatchObject({ commitIndex: 5n, baseIndex: 0n })
    expect(replica.raft.snapshot?.index).toBe(0n)
  })

  it('is refused by a leader that lacks what it holds', () => {
    const replica = new SoloReplica({ term: 1n, log: [1n, 1n] })
    replica.leadAll()
    expect(() => replica.raft.snapshotInstalled(snapshotOf(9n))).toThrow('A leader has everything')
  })
})

it('a follower keeps what it acknowledged while it was sent a snapshot, and the leader may count on it', () => {
  const [leader, follower] = [
    new SoloReplica({ self: '1' }),
    new SoloReplica({ self: '3' }),
  ] as const
  leader.campaign()
  leader.hear('3', { type: 'voteReply', granted: true })
  exchange([leader, follower])
  // This append is late. Others have its entries, a snapshot is taken of the first, and the follower has to be sent that.
  leader.propose('a', 'b', 'c')
  const late = ofType(leader.run(), 'append').filter(({ to }) => to === '3')
  leader.hear('2', accepts(4n))
  leader.run()
  leader.raft.snapshotTaken(snapshotOf(3n))
  leader.pass(150)
  exchange([leader, follower])
  leader.raft.sendChunk('3', { snapshot: snapshotOf(3n), offset: 0, data, isLast: true })
  for (const message of leader.run().messages) follower.raft.step(message, follower.nowMs)
  expect(follower.run().received).toHaveLength(1)
  // While the last piece is being stored the late append arrives, and is acknowledged.
  for (const message of late) follower.raft.step(message, follower.nowMs)
  exchange([leader, follower])
  expect(leader.raft.progress.get('3')?.matchIndex).toBe(4n)
  follower.raft.snapshotInstalled(snapshotOf(3n))
  follower.run()
  follower.restart({ snapshot: snapshotOf(3n), entries: follower.stored.entries.slice(3) })
  expect(follower.raft.log.lastIndex).toBe(4n)
})
