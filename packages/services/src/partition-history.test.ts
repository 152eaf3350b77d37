import type { TimelineEvent } from '@naru/metadata'
import { expect, it } from 'vitest'
import { PartitionHistory } from './partition-history.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAEA'
const named = (partition: number) => ({ topic: 'orders', topicId, partition })
const at = { timestampMs: 7, cause: 'stopped' }

const elected = (leader: number, previous: number, partition = 0): TimelineEvent => {
  return { type: 'leaderElected', ...named(partition), leader, previous, leaderEpoch: 4, ...at }
}

it('keeps the last election of each partition, with what made it unclean', () => {
  const history = new PartitionHistory()
  history.note([elected(2, 1), elected(3, 1, 1)])
  const unclean = { type: 'uncleanElection', leader: 1, isCommanded: true } as const
  history.note([{ ...unclean, ...named(0), ...at }, elected(1, -1), elected(2, 3, 1)])
  expect(history.of(topicId, 0)).toEqual({
    election: { leader: 1, previous: -1, leaderEpoch: 4, isUnclean: true, ...at },
  })
  expect(history.of(topicId, 1).election).toMatchObject({ leader: 2, isUnclean: false })
  expect(history.of(topicId, 2)).toEqual({})
  // What is told later is another decision.
  history.note([{ ...unclean, ...named(0), ...at }])
  history.note([elected(2, 1)])
  expect(history.of(topicId, 0).election?.isUnclean).toBe(false)
})

it('a leader that stays, in another epoch, was not elected', () => {
  const history = new PartitionHistory()
  history.note([elected(2, 1), elected(2, 2)])
  expect(history.of(topicId, 0).election).toMatchObject({ leader: 2, previous: 1 })
})

it('who left and who joined at once is one change; later ones replace it', () => {
  const history = new PartitionHistory()
  const isr = (type: 'isrShrunk' | 'isrGrown', nodes: number[], other = at): TimelineEvent => {
    return { type, ...named(0), isr: [], nodes, ...other }
  }
  history.note([isr('isrShrunk', [1]), isr('isrGrown', [2])])
  expect(history.of(topicId, 0).isrChange).toEqual({ left: [1], joined: [2], ...at })
  history.note([isr('isrGrown', [3], { timestampMs: 8, cause: 'alterPartition' })])
  expect(history.of(topicId, 0).isrChange).toMatchObject({ left: [], joined: [3] })
})

it('forgets topics that are deleted, and those that changed first when there are too many', () => {
  const history = new PartitionHistory()
  history.note([elected(2, 1)])
  history.note([{ type: 'topicDeleted', topic: 'orders', topicId, ...at }])
  expect(history.of(topicId, 0)).toEqual({})
  for (let i = 0; i <= 10_000; i++) {
    history.note([{ ...elected(2, 1), topicId: `t${i}` } as TimelineEvent])
  }
  expect(history.of('t0', 0)).toEqual({})
  expect(history.of('t1', 0).election).toBeDefined()
})
