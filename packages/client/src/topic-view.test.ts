import { zeroTopicId } from '@naru/model'
import { expect, it } from 'vitest'
import { newerOf, type TopicView } from './topic-view.ts'

const topicId = 'AAAAAAAAAAAAAAAAAAAAEA'

function view(...leaders: readonly [leader: number, leaderEpoch: number][]): TopicView {
  const partitions = leaders.map(([leader, leaderEpoch], partition) => {
    return { partition, leader, leaderEpoch, replicas: [1, 2, 3], isr: [leader] }
  })
  return { name: 't', topicId, partitions }
}

it('takes of each partition what is of the later leader epoch', () => {
  const known = view([1, 5], [2, 5], [3, 5])
  const found = view([2, 4], [3, 6], [1, 5], [1, 0])
  expect(newerOf(known, found)).toEqual(view([1, 5], [3, 6], [1, 5], [1, 0]))
})

it.each([
  ['nothing was known', undefined],
  ['it is another topic of that name', { ...view([1, 5]), topicId: 'AAAAAAAAAAAAAAAAAAAAEQ' }],
])('takes what it finds where %s', (_, known) => {
  expect(newerOf(known, view([2, 1]))).toEqual(view([2, 1]))
})

it('takes what it finds where the broker does not tell topics of one name apart', () => {
  const anonymous = (found: TopicView) => ({ ...found, topicId: zeroTopicId })
  expect(newerOf(anonymous(view([1, 5])), anonymous(view([2, 1])))).toEqual(anonymous(view([2, 1])))
})
