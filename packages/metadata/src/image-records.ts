/** The whole image as the records that make it: what a snapshot holds. */
import type { MetadataImage } from './image.ts'
import type { MetadataRecord } from './records.ts'
import { replay } from './replay.ts'

export function imageRecords(image: MetadataImage): MetadataRecord[] {
  const records: MetadataRecord[] = []
  if (image.clusterId !== '') records.push({ type: 'cluster', clusterId: image.clusterId })
  for (const [name, level] of image.features) records.push({ type: 'feature', name, level })
  for (const broker of image.brokers.values()) {
    const { endpoints, directories } = broker
    const parts = { endpoints: [...endpoints], directories: [...directories] }
    records.push({ type: 'broker', ...broker, ...parts })
  }
  for (const [topicId, name] of image.deletedTopics) {
    records.push({ type: 'topic', topicId, name }, { type: 'removeTopic', topicId })
  }
  for (const { topicId, name, partitions } of image.topics.values()) {
    records.push({ type: 'topic', topicId, name })
    for (const partition of partitions) {
      const replicas = [...partition.replicas]
      const parts = { directories: [...partition.directories], isr: [...partition.isr] }
      records.push({ type: 'partition', ...partition, replicas, ...parts })
    }
  }
  for (const [key, settings] of image.configs) {
    const resourceType = Number(key.slice(0, key.indexOf(':')))
    const resourceName = key.slice(key.indexOf(':') + 1)
    for (const [name, value] of settings) {
      records.push({ type: 'config', resourceType, resourceName, name, value })
    }
  }
  records.push({ type: 'producerIds', nextProducerId: image.nextProducerId })
  return records
}

/** Makes an image, which others hold, what the records say, and nothing else. */
export function restoreImage(image: MetadataImage, records: readonly MetadataRecord[]): void {
  image.clusterId = ''
  image.nextProducerId = 0n
  const { brokers, topics, topicsById, configs, deletedTopics, features } = image
  for (const map of [brokers, topics, topicsById, configs, deletedTopics, features]) map.clear()
  for (const record of records) replay(image, record)
}
