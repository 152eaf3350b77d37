/** The whole image as the records that make it: what a snapshot holds. */
import type { MetadataImage } from './image.ts'
import type { MetadataRecord } from './records.ts'
import { replay } from './replay.ts'

export function imageRecords(image: MetadataImage): MetadataRecord[] {
  const records: MetadataRecord[] = []
  if (image.clusterId !== '') records.push({ type: 'cluster', clusterId: image.clusterId })
  for (const [name, level] of image.features) records.push({ type: 'feature', name, level })
  for (const broker of image.brokers.values()) {
    const { isFenced, isShuttingDown, offlineDirectories, ...registration } = broker
    records.push({ type: 'broker', ...registration })
    // Registered and nothing since, which is also all that logs of level 0 can tell.
    if (isFenced && !isShuttingDown && offlineDirectories.length === 0) continue
    const { nodeId, brokerEpoch } = broker
    const state = { isFenced, isShuttingDown, offlineDirectories }
    records.push({ type: 'brokerState', nodeId, brokerEpoch, ...state })
  }
  records.push(...deletionRecords(image))
  for (const { topicId, name, partitions } of image.topics.values()) {
    records.push({ type: 'topic', topicId, name })
    for (const partition of partitions) records.push({ type: 'partition', ...partition })
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

/** In the order of the deletions: those that are still known beside the newest ones are older. */
function deletionRecords({ deletedTopics, deletedIds }: MetadataImage): MetadataRecord[] {
  const older = [...deletedTopics.keys()].filter((topicId) => !deletedIds.has(topicId))
  return [...older, ...deletedIds].flatMap((topicId): MetadataRecord[] => {
    const { name = '', holders = [] } = deletedTopics.get(topicId) ?? {}
    return [
      { type: 'topic', topicId, name },
      { type: 'removeTopic', topicId, holders },
    ]
  })
}

/** Makes an image, which others hold, what the records say, and nothing else. */
export function restoreImage(image: MetadataImage, records: readonly MetadataRecord[]): void {
  image.clusterId = ''
  image.nextProducerId = 0n
  const { brokers, topics, topicsById, configs, deletedTopics, deletedIds, features } = image
  const all = [brokers, topics, topicsById, configs, deletedTopics, deletedIds, features]
  for (const each of all) each.clear()
  for (const record of records) replay(image, record)
}
