// A process that stood still, or lost its controller, may have been replaced: it must not answer alone for what it led.
import { kafkaErrors } from '@naru/model'
import { closeConnection, type Handler, type RequestContext } from '@naru/network'
import { expect, it } from 'vitest'
import type { Ports } from '../ports.ts'
import { listOffsets } from './list-offsets.ts'
import { produce } from './produce.ts'

const { NOT_LEADER_OR_FOLLOWER, UNKNOWN_TOPIC_OR_PARTITION } = kafkaErrors

/** A broker that is not trusted. No partition is known to it: that is as far as a request gets here. */
const partitions = {
  leading: () => UNKNOWN_TOPIC_OR_PARTITION,
  leadingAlone: () => NOT_LEADER_OR_FOLLOWER,
} as unknown as Ports['partitions']

async function answerOf<Q, R>(handler: Handler<Q, R>, request: Q): Promise<unknown> {
  const context = { apiVersion: 9, listener: 'PLAINTEXT' } as RequestContext
  return handler.handle(request, context)
}

function errorIn(answer: unknown): number {
  const text = JSON.stringify(answer, (_, value) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  return Number(/"errorCode":(-?\d+)/.exec(text)?.[1])
}

const topicId = 'AAAAAAAAAAAAAAAAAAAAAA'

it.each([
  [0, NOT_LEADER_OR_FOLLOWER],
  [1, NOT_LEADER_OR_FOLLOWER],
  // Waits for the other replicas, which follow whoever leads now.
  [-1, UNKNOWN_TOPIC_OR_PARTITION],
])('produce with acks %i', async (acks, error) => {
  const partitionData = [{ index: 0, records: Buffer.alloc(0) }]
  const topicData = [{ name: 'orders', topicId, partitionData }]
  const request = { transactionalId: null, acks, timeoutMs: 1, topicData }
  const answer = await answerOf(produce({ partitions }), request)
  // With acks 0 there is no answer: the connection ends.
  if (acks === 0) expect(answer).toBe(closeConnection)
  else expect(errorIn(answer)).toBe(error.code)
})

it.each([
  ['the newest offset', -1n, NOT_LEADER_OR_FOLLOWER],
  ['the oldest offset', -2n, UNKNOWN_TOPIC_OR_PARTITION],
])('%s', async (_, timestamp, error) => {
  const asked = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp }]
  const topics = [{ name: 'orders', partitions: asked }]
  const request = { replicaId: -1, isolationLevel: 0, topics, timeoutMs: 0 }
  expect(errorIn(await answerOf(listOffsets({ partitions }), request))).toBe(error.code)
})
