import { DecodeError } from '@naru/base'
import { expect, it } from 'vitest'
import { decodeTimelineEvents, encodeTimelineEvents } from './event-codec.ts'
import type { TimelineEvent } from './events.ts'
import { idOf } from './testing/cluster.ts'

const change = { timestampMs: 1_700_000_000_123, cause: 'session timeout' }
const orders = { topic: 'orders', topicId: idOf(1), partition: 3 }

/** Each type once: what is missing here does not compile. */
const byType: { readonly [T in TimelineEvent['type']]: TimelineEvent & { readonly type: T } } = {
  leaderElected: {
    type: 'leaderElected',
    ...orders,
    leader: -1,
    previous: 2,
    leaderEpoch: 7,
    ...change,
  },
  isrShrunk: { type: 'isrShrunk', ...orders, isr: [], nodes: [1, 2], ...change },
  isrGrown: { type: 'isrGrown', ...orders, isr: [1, 2], nodes: [2], ...change },
  uncleanElection: { type: 'uncleanElection', ...orders, leader: 1, isCommanded: true, ...change },
  reassignmentStarted: { type: 'reassignmentStarted', ...orders, replicas: [1, 4], ...change },
  reassignmentEnded: { type: 'reassignmentEnded', ...orders, replicas: [4], ...change },
  brokerRegistered: { type: 'brokerRegistered', nodeId: 1, brokerEpoch: 2n ** 60n, ...change },
  brokerFenced: { type: 'brokerFenced', nodeId: 1, ...change },
  brokerUnfenced: { type: 'brokerUnfenced', nodeId: 1, ...change },
  brokerShuttingDown: { type: 'brokerShuttingDown', nodeId: 1, ...change },
  brokerUnregistered: { type: 'brokerUnregistered', nodeId: 1, ...change },
  directoriesFailed: { type: 'directoriesFailed', nodeId: 1, directories: [idOf(9)], ...change },
  topicCreated: { type: 'topicCreated', topic: 'orders', topicId: idOf(1), ...change },
  topicDeleted: { type: 'topicDeleted', topic: 'orders', topicId: idOf(1), ...change },
  featureChanged: {
    type: 'featureChanged',
    name: 'naru.version',
    level: 2,
    previous: 1,
    ...change,
  },
}
const all = Object.values(byType)

it('every event is read as it was written', () => {
  expect(decodeTimelineEvents(encodeTimelineEvents(all))).toEqual(all)
  const early = [{ ...byType.brokerFenced, timestampMs: -1, cause: '' }]
  expect(decodeTimelineEvents(encodeTimelineEvents(early))).toEqual(early)
})

it('bytes that are cut off or go on are refused', () => {
  const bytes = encodeTimelineEvents(all)
  for (let length = 0; length < bytes.length; length++) {
    expect(() => decodeTimelineEvents(bytes.subarray(0, length))).toThrow(DecodeError)
  }
  expect(() => decodeTimelineEvents(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(DecodeError)
})

it('an event that is not known yet is refused', () => {
  const bytes = encodeTimelineEvents([byType.brokerFenced])
  const [type, version] = [bytes.length - 7, bytes.length - 6]
  for (const at of [type, version]) {
    const newer = Buffer.from(bytes)
    newer[at] = 0x60
    expect(() => decodeTimelineEvents(newer)).toThrow(/^Event .* has version/)
  }
})

it('two decisions are not mixed', () => {
  const other = { ...byType.brokerFenced, cause: 'fenceBroker' }
  expect(() => encodeTimelineEvents([byType.brokerFenced, other])).toThrow('two decisions')
})
