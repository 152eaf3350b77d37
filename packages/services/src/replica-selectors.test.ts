import type { BrokerImage } from '@naru/metadata'
import { FollowerProgress, InSyncSet } from '@naru/partition'
import { expect, it } from 'vitest'
import { rackAwareSelector } from './replica-selectors.ts'

/** Broker 1 leads in rack a, 2 and 3 follow in b: the one with 100, the other with 90. */
function setting() {
  const follower = (nodeId: number, logEndOffset: bigint) =>
    new FollowerProgress({
      ...{ nodeId, brokerEpoch: 1n, logStartOffset: 0n, caughtUpMs: 0, nowMs: 0 },
      offsets: { logEndOffset, flushedOffset: logEndOffset },
      leaderEnd: { offset: 100n, isFlushed: true },
    })
  const followers = new Map([
    [2, follower(2, 100n)],
    [3, follower(3, 90n)],
  ])
  const broker = (nodeId: number, rack: string) => {
    const endpoints = [{ listener: 'PLAINTEXT', host: 'h', port: nodeId }]
    const state = { isFenced: false, isShuttingDown: false }
    return [nodeId, { nodeId, rack, endpoints, ...state } as unknown as BrokerImage] as const
  }
  const brokers = new Map([broker(1, 'a'), broker(2, 'b'), broker(3, 'b')])
  const change = (nodeId: number, changes: Partial<BrokerImage>) =>
    brokers.set(nodeId, { ...brokers.get(nodeId), ...changes } as BrokerImage)
  const select = ({ isr = [1, 2, 3], rack = 'b' } = {}) => {
    const inSync = new InSyncSet({ partitionEpoch: 0, isr })
    const reader = { rack, listener: 'PLAINTEXT', fetchOffset: 80n }
    return rackAwareSelector(1, { brokers })({ inSync, followers }, reader)
  }
  return { followers, change, select }
}

it('sends readers to the follower in their rack that is furthest, and no others', () => {
  const { select } = setting()
  expect(select()).toBe(2)
  expect(select({ rack: 'a' })).toBeUndefined()
  expect(select({ rack: 'c' })).toBeUndefined()
  expect(select({ rack: '' })).toBeUndefined()
})

it('passes over one that is out of sync', () => {
  expect(setting().select({ isr: [1, 3] })).toBe(3)
})

it('passes over one whose stream is gone, though it is not fenced yet', () => {
  const { followers, select } = setting()
  followers.get(2)?.ended()
  expect(select()).toBe(3)
})

it.each<[string, Partial<BrokerImage>]>([
  ['is fenced', { isFenced: true }],
  ['is about to stop', { isShuttingDown: true }],
  ['does not listen where the reader comes from', { endpoints: [] }],
  ['stands elsewhere', { rack: 'c' }],
])('passes over one whose broker %s', (_, changes) => {
  const { change, select } = setting()
  change(2, changes)
  expect(select()).toBe(3)
})

it('knows the rack of the leader from its registration', () => {
  const { change, select } = setting()
  change(1, { rack: 'b' })
  expect(select()).toBeUndefined()
})
