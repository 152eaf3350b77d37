import type { Message } from '@naru/raft'
import { expect, it } from 'vitest'
import { FrameOutbox } from './frame-outbox.ts'

const raft: Message = { type: 'observe', from: '1/a', to: '2/a', term: 1n }
const limits = { items: 2, bytes: 1_000 }

it('drops Raft messages beyond its limits, which are repeated when they are missed', () => {
  const outbox = new FrameOutbox(limits)
  for (let i = 0; i < 5; i++) outbox.add({ raft: [raft] })
  expect(outbox.take()?.raft).toEqual([raft, raft])
  expect(outbox.take()).toBeUndefined()
})

it('drops no call and no answer, however full it is: somebody waits for each', () => {
  const outbox = new FrameOutbox(limits)
  const call = { id: 1, operation: 'submit', payload: Buffer.alloc(2_000) }
  const result = { id: 2, index: 3n, payload: Buffer.alloc(0) }
  for (let i = 0; i < 4; i++) outbox.add({ raft: [raft, raft], calls: [call], results: [result] })
  const taken = outbox.take()
  expect(taken?.calls).toHaveLength(4)
  expect(taken?.results).toHaveLength(4)
  expect(taken?.raft).toEqual([])
})

it('keeps the newest heartbeat, and one address for each node', () => {
  const outbox = new FrameOutbox(limits)
  const address = (port: number) => ({ nodeId: 3, host: 'h', port })
  outbox.add({ isGoodbye: false, addresses: [address(1)] })
  outbox.add({ isGoodbye: true, addresses: [address(2)] })
  expect(outbox.take()).toMatchObject({ isGoodbye: true, addresses: [address(2)] })
})
