/** What the brokers' states and the topics' settings mean for a partition. */
import type { NodeId } from '@naru/model'
import { madeTopicDefault } from './broker-settings.ts'
import type { ControllerSettings } from './controller-settings.ts'
import {
  type BrokerImage,
  configKey,
  type MetadataImage,
  type PartitionImage,
  resourceTypes,
} from './image.ts'
import type { ChangeContext, ReplicaActivity } from './partition-change.ts'

/** May take replicas and leaderships. */
export function isActive(broker: BrokerImage): boolean {
  return !broker.isFenced && !broker.isShuttingDown
}

/** `broker` stands for its older state in the image. */
export function changeContext(
  image: MetadataImage,
  topic: string,
  options: { settings: ControllerSettings; broker?: BrokerImage },
): ChangeContext {
  const { settings, broker: changed } = options
  return {
    // Looked up only where it matters: a fence makes a context for every topic.
    get minIsrSetting() {
      return Number(topicSetting(image, topic, { name: 'min.insync.replicas', settings }))
    },
    activityOf(partition, nodeId) {
      const broker = changed?.nodeId === nodeId ? changed : image.brokers.get(nodeId)
      return activityOf(broker, partition)
    },
  }
}

function activityOf(broker: BrokerImage | undefined, partition: PartitionImage): ReplicaActivity {
  if (broker === undefined || broker.isFenced) return 'inactive'
  if (!isDirectoryOnline(broker, partition)) return 'inactive'
  return broker.isShuttingDown ? 'stopping' : 'active'
}

export function isDirectoryOnline(broker: BrokerImage, partition: PartitionImage): boolean {
  const directory = directoryOf(partition, broker.nodeId) ?? ''
  return broker.directories.includes(directory) && !broker.offlineDirectories.includes(directory)
}

/** The log directory of a broker's replica. */
export function directoryOf(partition: PartitionImage, nodeId: NodeId): string | undefined {
  return partition.directories[partition.replicas.indexOf(nodeId)]
}

/** A topic's own value of a key, else the controller's: what was set while it ran, then its configuration. */
export function topicSetting(
  image: MetadataImage,
  topic: string,
  { name, settings }: { name: string; settings: ControllerSettings },
): string {
  const own = image.configs.get(configKey(resourceTypes.topic, topic))?.get(name)
  return own ?? madeTopicDefault(image, settings.nodeId, name) ?? settings.configDefault(name)
}
