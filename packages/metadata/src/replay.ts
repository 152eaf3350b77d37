import { assert } from '@naru/base'
import { configKey, type MetadataImage, resourceTypes } from './image.ts'
import type { MetadataRecord, RecordOf } from './records.ts'

type Replays = {
  [T in MetadataRecord['type']]: (image: MetadataImage, record: RecordOf<T>) => void
}

const replays: Replays = {
  cluster(image, { clusterId }) {
    image.clusterId = clusterId
  },
  broker(image, record) {
    image.brokers.set(record.nodeId, record)
  },
  topic(image, { topicId, name }) {
    const topic = { topicId, name, partitions: [] }
    image.topics.set(name, topic)
    image.topicsById.set(topicId, topic)
  },
  partition(image, record) {
    const topic = image.topicsById.get(record.topicId)
    assert(topic !== undefined, `Partition of unknown topic ${record.topicId}`)
    topic.partitions[record.partition] = record
  },
  removeTopic(image, { topicId }) {
    const topic = image.topicsById.get(topicId)
    assert(topic !== undefined, `Removal of unknown topic ${topicId}`)
    image.topicsById.delete(topicId)
    image.topics.delete(topic.name)
    image.configs.delete(configKey(resourceTypes.topic, topic.name))
    image.deletedTopics.set(topicId, topic.name)
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
}

/** The only function that changes an image. */
export function replay(image: MetadataImage, record: MetadataRecord): void {
  const apply = replays[record.type] as (image: MetadataImage, record: MetadataRecord) => void
  apply(image, record)
}
