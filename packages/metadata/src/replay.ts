import { assert } from '@naru/base'
import type { NodeId, TopicId } from '@naru/model'
import {
  configKey,
  type DeletedTopic,
  type MetadataImage,
  partitionWith,
  resourceTypes,
  type TopicImage,
} from './image.ts'
import type { MetadataRecord, RecordOf } from './records.ts'

type Replays = {
  [T in MetadataRecord['type']]: (image: MetadataImage, record: RecordOf<T>) => void
}

const replays: Replays = {
  cluster(image, { clusterId }) {
    image.clusterId = clusterId
  },
  broker(image, { type: _, ...registration }) {
    const state = { isFenced: true, isShuttingDown: false, offlineDirectories: [] }
    image.brokers.set(registration.nodeId, { ...registration, ...state })
  },
  brokerState(image, { type: _, ...state }) {
    const broker = image.brokers.get(state.nodeId)
    assert(broker?.brokerEpoch === state.brokerEpoch, `State of stale broker ${state.nodeId}`)
    image.brokers.set(state.nodeId, { ...broker, ...state })
  },
  unregisterBroker(image, { nodeId }) {
    image.brokers.delete(nodeId)
    // Nobody will confirm for it.
    for (const deleted of [...image.deletedTopics.values()]) confirmTopic(image, deleted, nodeId)
    for (const topic of image.topics.values()) {
      for (const { partition } of topic.partitions) confirmPartition(topic, partition, nodeId)
    }
  },
  topic(image, { topicId, name }) {
    const topic = { topicId, name, partitions: [] }
    image.topics.set(name, topic)
    image.topicsById.set(topicId, topic)
  },
  partition(image, record) {
    const topic = image.topicsById.get(record.topicId)
    assert(topic !== undefined, `Partition of unknown topic ${record.topicId}`)
    topic.partitions[record.partition] = partitionWith(record, record)
  },
  partitionStates(image, { topicId, partitions }) {
    const topic = image.topicsById.get(topicId)
    assert(topic !== undefined, `States of unknown topic ${topicId}`)
    for (const state of partitions) {
      const before = topic.partitions[state.partition]
      assert(before !== undefined, `State of unknown partition ${state.partition} of ${topicId}`)
      topic.partitions[state.partition] = partitionWith(before, state)
    }
  },
  uncleanElection(image, { topicId, partition }) {
    const known = image.topicsById.get(topicId)?.partitions[partition]
    assert(known !== undefined, `Election for unknown partition ${partition} of ${topicId}`)
  },
  removeTopic(image, { topicId, holders }) {
    const topic = image.topicsById.get(topicId)
    assert(topic !== undefined, `Removal of unknown topic ${topicId}`)
    image.topicsById.delete(topicId)
    image.topics.delete(topic.name)
    image.configs.delete(configKey(resourceTypes.topic, topic.name))
    rememberDeletion(image, topicId)
    // An unregistered broker will not confirm: what it brings back some day is set aside, not deleted.
    const remaining = holders ?? holdersOf(topic).filter((id) => image.brokers.has(id))
    if (remaining.length === 0) return
    image.deletedTopics.set(topicId, { topicId, name: topic.name, holders: remaining })
  },
  deletionConfirmed(image, { topicId, partition, nodeId }) {
    const deleted = image.deletedTopics.get(topicId)
    const topic = image.topicsById.get(topicId)
    if (deleted !== undefined && partition === -1) confirmTopic(image, deleted, nodeId)
    if (topic !== undefined && partition >= 0) confirmPartition(topic, partition, nodeId)
  },
  config(image, { resourceType, resourceName, name, value }) {
    const key = configKey(resourceType, resourceName)
    const settings = image.configs.get(key) ?? new Map<string, string>()
    if (value === null) settings.delete(name)
    else settings.set(name, value)
    if (settings.size > 0) image.configs.set(key, settings)
    else image.configs.delete(key)
  },
  producerIds(image, { nextProducerId }) {
    image.nextProducerId = nextProducerId
  },
  feature(image, { name, level }) {
    image.features.set(name, level)
  },
  change() {},
}

/** A creation may be asked again for half a minute: its id stays known unless more than these are deleted meanwhile. */
const deletedIdsMax = 10_000

function rememberDeletion({ deletedIds }: MetadataImage, topicId: TopicId): void {
  deletedIds.add(topicId)
  for (const oldest of deletedIds) {
    if (deletedIds.size <= deletedIdsMax) break
    deletedIds.delete(oldest)
  }
}

function holdersOf({ partitions }: TopicImage): NodeId[] {
  const holders = partitions.flatMap((each) => [...each.replicas, ...each.removedReplicas])
  return [...new Set(holders)]
}

function confirmTopic(image: MetadataImage, deleted: DeletedTopic, nodeId: NodeId): void {
  const holders = deleted.holders.filter((holder) => holder !== nodeId)
  if (holders.length > 0) image.deletedTopics.set(deleted.topicId, { ...deleted, holders })
  else image.deletedTopics.delete(deleted.topicId)
}

function confirmPartition(topic: TopicImage, partition: number, nodeId: NodeId): void {
  const before = topic.partitions[partition]
  if (!before?.removedReplicas.includes(nodeId)) return
  const removedReplicas = before.removedReplicas.filter((holder) => holder !== nodeId)
  topic.partitions[partition] = { ...before, removedReplicas }
}

/** The only function that changes an image. */
export function replay(image: MetadataImage, record: MetadataRecord): void {
  const apply = replays[record.type] as (image: MetadataImage, record: MetadataRecord) => void
  apply(image, record)
}
