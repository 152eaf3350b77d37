// Snapshots: taken, sent in pieces, installed (R9 of the protocol; Raft §7).
import { crc32c } from '@naru/base'
import { describe, expect, it } from 'vitest'
import type { Snapshot } from './entry.ts'
import {
  accepts,
  appends,
  exchange,
  heartbeatMs,
  ofType,
  rejects,
  SoloReplica,
} from './testing/solo-replica.ts'

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

describe('pieces of a snapshot', () => {
  const wants = (replica: SoloReplica) =>
    ofType(replica.run(), 'snapshotReply').map(({ index, nextOffset }) => [index, nextOffset])
  const offsets = (done: { received: readonly { offset: number }[] }) =>
    done.received.map(({ offset }) => offset)

  /** Gets a piece, stores it, and gives what it asks for then. */
  function store(replica: SoloReplica, part: ReturnType<typeof piece>, isUsable = true) {
    replica.hear('2', part)
    const { received } = replica.run()
    for (const chunk of received) replica.raft.chunkStored(chunk, isUsable)
    return wants(replica)
  }

  it('are stored one after the other; each asks for the next', () => {
    const replica = new SoloReplica({ term: 1n })
    expect(store(replica, piece(snapshotOf(4n), 0, 4))).toEqual([[4n, 4]])
    expect(store(replica, piece(snapshotOf(4n), 4, 8))).toEqual([[4n, 8]])
    replica.hear('2', piece(snapshotOf(4n), 8, 10))
    expect(replica.run().received).toMatchObject([{ offset: 8, isLast: true }])
  })

  it('that are damaged are dropped', () => {
    const replica = new SoloReplica({ term: 1n })
    const good = piece(snapshotOf(4n), 0, 4)
    replica.hear('2', { ...good, data: Buffer.from('abcX') })
    replica.hear('2', { ...good, crc: good.crc ^ 1 })
    expect(replica.run()).toMatchObject({ received: [], messages: [] })
    expect(store(replica, good)).toEqual([[4n, 4]])
  })

  it('that come twice while they are stored are dropped, and afterwards answered', () => {
    const replica = new SoloReplica({ term: 1n })
    const first = piece(snapshotOf(4n), 0, 4)
    replica.hear('2', first)
    replica.hear('2', first)
    const { received } = replica.run()
    expect(offsets({ received })).toEqual([0])
    for (const chunk of received) replica.raft.chunkStored(chunk, true)
    replica.hear('2', first)
    expect(wants(replica)).toEqual([
      [4n, 4],
      [4n, 4],
    ])
  })

  it('that are reported as stored twice are answered once', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.hear('2', piece(snapshotOf(4n), 0, 4))
    const [chunk] = replica.run().received
    if (chunk === undefined) throw new Error('Nothing was received')
    for (let each = 0; each < 2; each++) replica.raft.chunkStored(chunk, true)
    expect(wants(replica)).toEqual([[4n, 4]])
    expect(store(replica, piece(snapshotOf(4n), 4, 8))).toEqual([[4n, 8]])
    replica.raft.chunkStored(chunk, true)
    replica.hear('2', piece(snapshotOf(4n), 8, 10))
    expect(replica.run().received).toMatchObject([{ offset: 8 }])
  })

  it('that leave a gap are answered with what is missing', () => {
    const replica = new SoloReplica({ term: 1n })
    store(replica, piece(snapshotOf(4n), 0, 4))
    replica.hear('2', piece(snapshotOf(4n), 8, 10))
    expect(wants(replica)).toEqual([[4n, 4]])
  })

  it('begin anew when the whole does not add up, after a restart, and for a newer snapshot', () => {
    const replica = new SoloReplica({ term: 1n })
    expect(store(replica, piece(snapshotOf(4n), 0, 4))).toEqual([[4n, 4]])
    expect(store(replica, piece(snapshotOf(4n), 4, 8), false)).toEqual([[4n, 0]])
    store(replica, piece(snapshotOf(4n), 0, 4))
    replica.hear('2', piece(snapshotOf(6n), 4, 8))
    expect(wants(replica)).toEqual([[6n, 0]])
    store(replica, piece(snapshotOf(6n), 0, 4))
    replica.restart()
    replica.hear('2', piece(snapshotOf(6n), 4, 8))
    expect(wants(replica)).toEqual([[6n, 0]])
  })

  it('of what is committed here already are answered as if they had been stored', () => {
    const replica = new SoloReplica({ term: 1n, log: [1n, 1n, 1n] })
    replica.hear('2', appends([3n, 1n], [], 3n))
    replica.run()
    replica.hear('2', whole(snapshotOf(2n)))
    const { received, messages } = replica.run()
    expect(received).toEqual([])
    expect(ofType({ messages }, 'appendReply').map(({ matchIndex }) => matchIndex)).toEqual([3n])
  })

  it('of an older snapshot than its own are not stored', () => {
    const replica = new SoloReplica({ term: 1n, snapshot: snapshotOf(5n) })
    replica.hear('2', whole(snapshotOf(3n)))
    const { received, messages } = replica.run()
    expect(received).toEqual([])
    expect(ofType({ messages }, 'appendReply').map(({ matchIndex }) => matchIndex)).toEqual([5n])
  })

  it('of what is in the log commit it, and are not stored', () => {
    const replica = new SoloReplica({ term: 1n, log: [1n, 1n, 1n] })
    replica.hear('2', whole(snapshotOf(2n)))
    const { received, committed, messages } = replica.run()
    expect(received).toEqual([])
    expect(committed.map(({ index }) => index)).toEqual([1n, 2n])
    expect(ofType({ messages }, 'appendReply').map(({ matchIndex }) => matchIndex)).toEqual([2n])
  })
})

describe('a leader whose log begins too late for a follower', () => {
  const newest = { index: 3n, term: 1n, voters }

  function sending(): SoloReplica {
    const leader = new SoloReplica()
    leader.leadAll()
    leader.propose('a', 'b')
    leader.run()
    leader.hear('2', accepts(3n))
    leader.run()
    leader.raft.snapshotTaken(newest)
    leader.hear('3', rejects(3n, 1n, 1n))
    leader.hear('3', rejects(1n, 0n, 0n))
    return leader
  }

  const chunk = (offset: number, end: number) => {
    const { data: bytes, isLast } = piece(newest, offset, end)
    return { snapshot: newest, offset, data: bytes, isLast }
  }

  it('sends the snapshot, piece by piece as they are asked for, with a checksum each', () => {
    const leader = sending()
    expect(leader.run().chunks).toEqual([{ to: '3', snapshot: newest, offset: 0 }])
    leader.raft.sendChunk('3', chunk(0, 4))
    expect(ofType(leader.run(), 'snapshot')).toMatchObject([
      { to: '3', offset: 0, isLast: false, crc: crc32c(data.subarray(0, 4)) },
    ])
    leader.hear('3', { type: 'snapshotReply', index: 3n, nextOffset: 4 })
    expect(leader.run().chunks).toEqual([{ to: '3', snapshot: newest, offset: 4 }])
  })

  it('sends it no entries meanwhile, and goes on after it when it is in place', () => {
    const leader = sending()
    leader.run()
    leader.propose('c')
    expect(ofType(leader.run(), 'append').map(({ to }) => to)).toEqual(['2'])
    expect(leader.raft.progress.get('3')?.state).toBe('snapshot')
    leader.hear('3', accepts(2n))
    expect(leader.raft.progress.get('3')?.state).toBe('snapshot')
    leader.hear('3', accepts(3n))
    expect(leader.raft.progress.get('3')?.state).toBe('replicate')
    const next = ofType(leader.run(), 'append').filter(({ to }) => to === '3')
    expect(next.map(({ prevIndex, entries }) => [prevIndex, entries.length])).toEqual([[3n, 1]])
  })

  it('needs no snapshot when the follower turns out to have more', () => {
    const leader = sending()
    leader.propose('c')
    leader.run()
    leader.hear('3', accepts(4n))
    expect(leader.raft.progress.get('3')).toMatchObject({ state: 'replicate', nextIndex: 5n })
  })

  it('repeats a piece that was not answered, with a heartbeat that was', () => {
    const leader = sending()
    leader.run()
    leader.pass(2 * heartbeatMs)
    leader.hear('3', { type: 'heartbeatReply', round: 0 })
    expect(leader.run().chunks).toEqual([])
    leader.pass(1)
    leader.hear('3', { type: 'heartbeatReply', round: 0 })
    expect(leader.run().chunks).toEqual([{ to: '3', snapshot: newest, offset: 0 }])
  })

  it('begins with a newer one when the file is gone', () => {
    const leader = sending()
    leader.run()
    leader.hear('3', { type: 'snapshotReply', index: 3n, nextOffset: 4 })
    leader.propose('c')
    leader.run()
    leader.hear('2', accepts(4n))
    leader.run()
    const newer = { index: 4n, term: 1n, voters }
    leader.raft.snapshotTaken(newer)
    leader.raft.chunkUnavailable('3')
    expect(leader.run().chunks).toEqual([{ to: '3', snapshot: newer, offset: 0 }])
    leader.hear('3', { type: 'snapshotReply', index: 3n, nextOffset: 8 })
    leader.raft.sendChunk('3', chunk(4, 8))
    expect(leader.run()).toMatchObject({ chunks: [], messages: [] })
  })
})

describe('a snapshot of its own', () => {
  it('lets the log below it go, but for a tail', () => {
    const replica = new SoloReplica({ term: 1n, trailingEntries: 2 })
    replica.hear('2', appends([0n, 0n], [1n, 1n, 1n, 1n, 1n], 5n))
    replica.run()
    replica.raft.snapshotTaken(snapshotOf(4n))
    expect(replica.raft.log).toMatchObject({ baseIndex: 2n, lastIndex: 5n, commitIndex: 5n })
    expect(replica.raft.snapshot).toEqual(snapshotOf(4n))
    expect(replica.run().committed).toEqual([])
  })

  it('leaves the voters known in the tail', () => {
    const replica = new SoloReplica({ trailingEntries: 3 })
    replica.leadAll()
    replica.raft.changeVoters({ remove: '3' })
    replica.run()
    replica.acknowledge('2')
    replica.propose('a', 'b')
    replica.run()
    replica.acknowledge('2')
    replica.run()
    replica.raft.snapshotTaken({ index: 4n, term: 1n, voters: ['1', '2'] })
    expect(replica.raft.log.baseIndex).toBe(1n)
    expect([1n, 2n].map((index) => replica.raft.votersAt(index).join())).toEqual(['1,2,3', '1,2'])
  })

  it('that is older than the last is forgotten', () => {
    const replica = new SoloReplica({ term: 1n })
    replica.hear('2', appends([0n, 0n], [1n, 1n, 1n, 1n], 4n))
    replica.run()
    replica.raft.snapshotTaken(snapshotOf(3n))
    replica.raft.snapshotTaken(snapshotOf(2n))
    expect(replica.raft.snapshot).toEqual(snapshotOf(3n))
    expect(replica.raft.log.baseIndex).toBe(3n)
  })

  it('of what was not handed out to be applied is a bug', () => {
    const replica = new SoloReplica({ term: 1n, log: [1n, 1n] })
    expect(() => replica.raft.snapshotTaken(snapshotOf(1n))).toThrow('not applied')
  })

  it('is what a restarted replica begins with', () => {
    const replica = new SoloReplica({ term: 3n, snapshot: snapshotOf(7n, 2n), log: [2n, 3n] })
    expect(replica.raft.log).toMatchObject({ baseIndex: 7n, commitIndex: 7n, lastIndex: 9n })
    expect(replica.raft.log.termAt(7n)).toBe(2n)
    expect(replica.raft.votersAt(8n)).toEqual(voters)
    replica.hear('2', appends([9n, 3n], [], 9n))
    expect(replica.run().committed.map(({ index }) => index)).toEqual([8n, 9n])
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
  leader.pass(heartbeatMs)
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
