// A replica that starts with a long log has others to hear meanwhile.
import { MemoryDisk, MemoryRaftStorage, RaftNode } from '@naru/consensus'
import type { Entry } from '@naru/raft'
import { expect, it } from 'vitest'
import { SeededRandom } from '../seeded-random.ts'
import { SimulatedClock } from '../simulated-clock.ts'

const entryBytes = 1_000
const entries = 500
const turnBytesMax = 64 << 10

it('applies a long log in many turns, all of it and in order', async () => {
  const clock = new SimulatedClock()
  const disk = new MemoryDisk()
  const stored: Entry[] = [{ index: 1n, term: 1n, kind: 'voters', voters: ['1/a'] }]
  for (let index = 2n; stored.length <= entries; index++) {
    stored.push({ index, term: 1n, kind: 'data', payload: Buffer.alloc(entryBytes) })
  }
  disk.state = { ...disk.state, hardState: { term: 1n, vote: undefined }, entries: stored }
  const applied: bigint[] = []
  const node = await RaftNode.start({
    self: '1/a',
    storage: new MemoryRaftStorage(disk),
    transport: { send() {} },
    stateMachine: {
      apply: (_, index) => applied.push(index),
      snapshot: async () => Buffer.alloc(0),
      restore() {},
    },
    clock,
    random: new SeededRandom(1),
    contacts: [],
    electionBaseMs: 600,
    heartbeatMs: 150,
    onEvent() {},
    onFatal: (error) => {
      throw error
    },
  })
  let most = 0
  const done = node.applied(BigInt(entries) + 1n)
  let isDone = false
  void done.then(() => {
    isDone = true
  })
  for (let step = 0; step < 1_000 && !isDone; step++) {
    const before = applied.length
    await clock.step()
    most = Math.max(most, applied.length - before)
  }
  expect(applied).toEqual(stored.slice(1).map(({ index }) => index))
  expect(most).toBeGreaterThan(0)
  expect(most * entryBytes).toBeLessThanOrEqual(turnBytesMax)
  await node[Symbol.asyncDispose]()
})
