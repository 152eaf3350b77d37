// A process that stood still, or lost its controller, may have been replaced: it must not answer alone for what it led.
import { kafkaErrors } from '@naru/model'
import type { Handler, RequestContext } from '@naru/network'
import { expect, it } from 'vitest'
import type { Ports } from '../ports.ts'
import { listOffsets } from './list-offsets.ts'
import { produce } from './produce.ts'

const { NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_OR_PARTITION } = kafkaErrors

/** Every partition is unknown to a broker that is trusted: that is as far as a request gets here. */
function ports(isTrusted: boolean) {
  const metadata = { membership: { isTrusted } } as Ports['metadata']
  const partitions = { leading: () => UNKNOWN_TOPIC_OR_PARTITION } as unknown as Ports['partitions']
  return { metadata, partitions }
}

async function errorOf<Q, R>(handler: Handler<Q, R>, request: Q): Promise<unknown> {
  const context = { apiVersion: 9, listener: 'PLAINTEXT' } as RequestContext
  const text = JSON.stringify(await handler.handle(request, context), (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  return Number(/"errorCode":(-?\d+)/.exec(text)?.[1])
}

const topicId = 'AAAAAAAAAAAAAAAAAAAAAA'

it.each([
  [1, false, NOT_LEADER_OR_FOLLOWER],
  [1, true, UNKNOWN_TOPIC_OR_PARTITION],
  // Waits for the other replicas, which follow whoever leads now.
  [-1, false, UNKNOWN_TOPIC_OR_PARTITION],
])('produce with acks %i, trusted %s', async (acks, isTrusted, error) => {
  const partitionData = [{ index: 0, records: Buffer.alloc(0) }]
  const topicData = [{ name: 'orders', topicId, partitionData }]
  const request = { transactionalId: null, acks, timeoutMs: 1, topicData }
  expect(await errorOf(produce(ports(isTrusted)), request)).toBe(error.code)
})

it.each([
  ['the newest offset', -1n, false, NOT_LEADER_OR_FOLLOWER],
  ['the newest offset', -1n, true, UNKNOWN_TOPIC_OR_PARTITION],
  ['the oldest offset', -2n, false, UNKNOWN_TOPIC_OR_PARTITION],
])('%s (%i), trusted %s', async (_, timestamp, isTrusted, error) => {
  const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp }]
  const topics = [{ name: 'orders', partitions }]
  const request = { replicaId: -1, isolationLevel: 0, topics, timeoutMs: 0 }
  expect(await errorOf(listOffsets(ports(isTrusted)), request)).toBe(error.code)
})
