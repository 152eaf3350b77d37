import { expect, it } from 'vitest'
import { partitionRecords } from './partition-records.ts'
import { idOf, TestCluster } from './testing/cluster.ts'

it('partitions of one topic share a record up to one that changes otherwise', () => {
  const cluster = new TestCluster(1, 2)
  cluster.image.features.set('naru.version', 2)
  cluster.topic([1, 2])
  const [topicId, other] = [idOf(1), idOf(2)]
  const changes = [
    { topicId, partition: 0 },
    { topicId, partition: 1 },
    { topicId, partition: 2, isRecovering: true },
    { topicId, partition: 3 },
    { topicId: other, partition: 0 },
  ].map((change) => {
    const before = { ...cluster.partition, topicId: change.topicId, partition: change.partition }
    return { before, after: { ...before, isr: [1], ...change } }
  })
  expect(partitionRecords(cluster.image, changes)).toMatchObject([
    { type: 'partitionStates', topicId, partitions: [{ partition: 0 }, { partition: 1 }] },
    { type: 'partition', topicId, partition: 2 },
    { type: 'partitionStates', topicId, partitions: [{ partition: 3 }] },
    { type: 'partitionStates', topicId: other, partitions: [{ partition: 0 }] },
  ])
})
