import { expect, it } from 'vitest'
import { emptyImage } from './image.ts'
import { imageRecords, restoreImage } from './image-records.ts'
import { decodeMetadataRecords, encodeMetadataRecords } from './records.ts'
import { replay } from './replay.ts'
import { directoryOfBroker, idOf, TestCluster } from './testing/cluster.ts'

/** A cluster in which everything has happened that leaves a trace. */
function eventful(): TestCluster {
  const cluster = new TestCluster(1, 2, 3, 4)
  cluster.topic([1, 2, 3], { 'retention.ms': '7' })
  cluster.accepted({ type: 'deleteTopic', name: 'orders', topicId: idOf(0) })
  const deletions = [{ topicId: idOf(1), partition: -1 }]
  cluster.accepted({ type: 'confirmDeletion', nodeId: 2, deletions })
  const gone = { type: 'deleteTopic', name: 'orders', topicId: idOf(0) } as const
  for (const id of [idOf(3), idOf(4)]) {
    cluster.topic([4], {}, id)
    cluster.accepted(gone)
    const confirmed = [{ topicId: id, partition: -1 }]
    cluster.accepted({ type: 'confirmDeletion', nodeId: 4, deletions: confirmed })
  }
  cluster.topic([1, 2, 3], { 'retention.ms': '8', 'naru.flush': 'async' }, idOf(2))
  const replicas = [4, 2, 3]
  const move = { topicId: idOf(2), partition: 0, replicas }
  cluster.accepted({ type: 'reassignPartitions', allowsOtherFactor: true, partitions: [move] })
  cluster.fence(2, 3)
  cluster.startAfter('os-crash', 3)
  const directories = [directoryOfBroker(4)]
  cluster.accepted({ type: 'reportOfflineDirectories', ...cluster.key(4), directories })
  cluster.accepted({ type: 'controlledShutdown', ...cluster.key(1) })
  cluster.accepted({ type: 'allocateProducerIds' })
  return cluster
}

it('a snapshot makes the same image, in place of whatever was there', () => {
  const { image } = eventful()
  expect(image.deletedTopics.get(idOf(1))?.holders).toEqual([1, 3])
  const bytes = encodeMetadataRecords(imageRecords(image))
  const other = emptyImage()
  replay(other, { type: 'topic', topicId: idOf(9), name: 'stale' })
  replay(other, { type: 'config', resourceType: 2, resourceName: 'stale', name: 'a', value: 'b' })
  const { topics } = other
  restoreImage(other, decodeMetadataRecords(bytes))
  expect(other).toEqual(image)
  expect([...other.deletedIds]).toEqual([idOf(1), idOf(3), idOf(4)])
  expect(other.topics).toBe(topics)
})

it('of the topics that were deleted it knows the last ten thousand ids, and those that somebody has to confirm', () => {
  const cluster = new TestCluster(1)
  const { image } = cluster
  cluster.topic([1], {}, idOf(1))
  const remove = (topicId: string, holders: number[] | null) =>
    replay(image, { type: 'removeTopic', topicId, holders })
  remove(idOf(1), null)
  for (let number = 2; number <= 10_002; number++) {
    replay(image, { type: 'topic', topicId: idOf(number), name: 'a' })
    remove(idOf(number), [])
  }
  expect(image.deletedIds.size).toBe(10_000)
  expect([1, 2, 3].map((number) => image.deletedIds.has(idOf(number)))).toEqual([
    false,
    false,
    true,
  ])
  const other = emptyImage()
  restoreImage(other, decodeMetadataRecords(encodeMetadataRecords(imageRecords(image))))
  expect(other.deletedTopics).toEqual(image.deletedTopics)
  expect([...other.deletedIds]).toEqual([...image.deletedIds])
  expect([...other.deletedTopics.keys()]).toEqual([idOf(1)])
})
