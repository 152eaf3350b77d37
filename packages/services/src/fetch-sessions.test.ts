import { kafkaErrors } from '@naru/model'
import { SeededRandom, SimulatedClock } from '@naru/simulator'
import { describe, expect, it } from 'vitest'
import { FetchSessions, type SessionPartition, type SessionRequest } from './fetch-sessions.ts'

function partition(number: number): SessionPartition {
  const epochs = { currentLeaderEpoch: -1, lastFetchedEpoch: -1 }
  return { topic: 't', topicId: '', partition: number, fetchOffset: 0n, maxBytes: 1, ...epochs }
}

function sessions(slots = 10) {
  const clock = new SimulatedClock()
  const cache = new FetchSessions({ clock, random: new SeededRandom(1), slots })
  const plan = (sessionId: number, sessionEpoch: number, more: Partial<SessionRequest> = {}) =>
    cache.plan({
      sessionId,
      sessionEpoch,
      usesTopicIds: false,
      partitions: [],
      forgotten: [],
      ...more,
    })
  const open = (...numbers: number[]) => plan(0, 0, { partitions: numbers.map(partition) })
  return { cache, clock, plan, open }
}

const told = { highWatermark: 5n, lastStableOffset: 5n, logStartOffset: 0n }
const withRecords = { told, hasRecords: true, isNotable: false }
const withoutNews = { told, hasRecords: false, isNotable: false }
const numbersOf = (plan: { partitions: readonly SessionPartition[] }) =>
  plan.partitions.map((each) => each.partition)

describe('FetchSessions', () => {
  it('sends a partition that had its turn to the end', () => {
    const { plan, open } = sessions()
    const opened = open(0, 1, 2)
    for (const each of opened.partitions) opened.isNews?.(each, withoutNews)
    const first = plan(opened.sessionId, 1)
    expect(first.isNews?.(partition(0), withRecords)).toBe(true)
    expect(first.isNews?.(partition(1), withoutNews)).toBe(false)
    const second = plan(opened.sessionId, 2)
    expect(numbersOf(second)).toEqual([1, 2, 0])
    second.isNews?.(partition(1), withRecords)
    expect(numbersOf(plan(opened.sessionId, 3, { partitions: [partition(0)] }))).toEqual([2, 0, 1])
  })

  it('ends with its last partition', () => {
    const { cache, plan, open } = sessions()
    const { sessionId } = open(0, 1)
    const forgotten = [0, 1].map((each) => ({ topic: 't', topicId: '', partition: each }))
    expect(plan(sessionId, 1, { forgotten })).toMatchObject({ sessionId: 0, partitions: [] })
    expect(cache.size).toBe(0)
    expect(plan(sessionId, 2).error).toBe(kafkaErrors.FETCH_SESSION_ID_NOT_FOUND)
  })

  it('judges the epoch before the kind of ids', () => {
    const { plan, open } = sessions()
    const { sessionId } = open(0)
    const usesTopicIds = true
    expect(plan(sessionId, 7, { usesTopicIds }).error).toBe(kafkaErrors.INVALID_FETCH_SESSION_EPOCH)
    expect(plan(sessionId, 1, { usesTopicIds }).error).toBe(
      kafkaErrors.FETCH_SESSION_TOPIC_ID_ERROR,
    )
    expect(plan(sessionId, 1).error).toBe(kafkaErrors.NONE)
  })

  it('gives a new client the slot of one that has not come for long, or none', async () => {
    const { clock, plan, open } = sessions(2)
    const older = open(0)
    const newer = open(0)
    expect(open(0).sessionId).toBe(0)
    await clock.drive(clock.pause(120_000))
    expect(plan(older.sessionId, 1).error).toBe(kafkaErrors.NONE)
    expect(open(0).sessionId).not.toBe(0)
    expect(plan(newer.sessionId, 1).error).toBe(kafkaErrors.FETCH_SESSION_ID_NOT_FOUND)
    expect(plan(older.sessionId, 2).error).toBe(kafkaErrors.NONE)
    expect(open(0).sessionId).toBe(0)
  })
})
