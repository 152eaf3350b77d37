import type { NodeId, TopicId } from '@naru/model'

export interface BrokerImage {
  readonly nodeId: NodeId
  readonly brokerEpoch: bigint
  readonly incarnationId: string
  readonly rack: string | null
  readonly endpoints: readonly { listener: string; host: string; port: number }[]
  readonly directories: readonly string[]
}

export interface PartitionImage {
  readonly topicId: TopicId
  readonly partition: number
  readonly replicas: readonly NodeId[]
  readonly directories: readonly string[]
  readonly isr: readonly NodeId[]
  /** -1 when there is none. */
  readonly leader: NodeId
  readonly leaderEpoch: number
  readonly partitionEpoch: number
}

export interface TopicImage {
  readonly topicId: TopicId
  readonly name: string
  /** By partition number. */
  readonly partitions: PartitionImage[]
}

/** `2` topic, `4` broker: the numbers of the Kafka protocol. */
export const resourceTypes = { topic: 2, broker: 4 } as const

/** The cluster's metadata. Everybody reads it; only replay changes it. */
export interface MetadataImage {
  clusterId: string
  readonly brokers: Map<NodeId, BrokerImage>
  readonly topics: Map<string, TopicImage>
  readonly topicsById: Map<TopicId, TopicImage>
  /** By {@link configKey}; a resource without settings is absent. */
  readonly configs: Map<string, Map<string, string>>
  /** Deleted topics, until every holder of a replica has confirmed: absence alone never deletes data. */
  readonly deletedTopics: Map<TopicId, string>
  nextProducerId: bigint
  readonly features: Map<string, number>
}

export function emptyImage(): MetadataImage {
  return {
    clusterId: '',
    brokers: new Map(),
    topics: new Map(),
    topicsById: new Map(),
    configs: new Map(),
    deletedTopics: new Map(),
    nextProducerId: 0n,
    features: new Map(),
  }
}

export function configKey(resourceType: number, resourceName: string): string {
  return `${resourceType}:${resourceName}`
}
