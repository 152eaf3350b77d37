import type { NodeId, TopicId } from '@naru/model'
import type { RecordOf } from './records.ts'

type Registration = Omit<RecordOf<'broker'>, 'type'>
type BrokerState = Omit<RecordOf<'brokerState'>, 'type' | 'nodeId' | 'brokerEpoch'>

/** A registered broker: what it said of itself, and what the controller holds of it. */
export type BrokerImage = Registration & BrokerState

export interface PartitionImage {
  readonly topicId: TopicId
  readonly partition: number
  /** In order of preference; during a reassignment also those that come and go. */
  readonly replicas: readonly NodeId[]
  readonly directories: readonly string[]
  /** In sync; may be empty. */
  readonly isr: readonly NodeId[]
  /** -1 when there is none. */
  readonly leader: NodeId
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  /** Eligible leader replicas (KIP-966): out of the ISR, yet complete, since nothing is committed below `minIsr`. */
  readonly elr: readonly NodeId[]
  /** Were eligible until their machine lost data: whom to ask first before an unclean election. */
  readonly lastKnownElr: readonly NodeId[]
  /** `min.insync.replicas`, at most the number of replicas: part of the state, so that leader and controller never differ about it. */
  readonly minIsr: number
  /** Acknowledged records are on disks: a machine that lost power has them still. */
  readonly isFlushed: boolean
  /** The leader was elected uncleanly and followers may have to cut back committed records. */
  readonly isRecovering: boolean
  readonly addingReplicas: readonly NodeId[]
  readonly removingReplicas: readonly NodeId[]
  /** Are no replicas any more, and have not confirmed yet that their data is gone. */
  readonly removedReplicas: readonly NodeId[]
}

/** What elections and the ISR change in a partition. */
export type PartitionState = Pick<
  PartitionImage,
  'partition' | 'leader' | 'leaderEpoch' | 'partitionEpoch' | 'isr' | 'elr' | 'lastKnownElr'
>

/** A partition with another state. Field by field: all have the same shape, and a copy that is changed afterwards takes three times as long. */
export function partitionWith(
  partition: Omit<PartitionImage, keyof PartitionState>,
  state: PartitionState,
): PartitionImage {
  return {
    topicId: partition.topicId,
    partition: state.partition,
    replicas: partition.replicas,
    directories: partition.directories,
    isr: state.isr,
    leader: state.leader,
    leaderEpoch: state.leaderEpoch,
    partitionEpoch: state.partitionEpoch,
    elr: state.elr,
    lastKnownElr: state.lastKnownElr,
    minIsr: partition.minIsr,
    isFlushed: partition.isFlushed,
    isRecovering: partition.isRecovering,
    addingReplicas: partition.addingReplicas,
    removingReplicas: partition.removingReplicas,
    removedReplicas: partition.removedReplicas,
  }
}

export interface TopicImage {
  readonly topicId: TopicId
  readonly name: string
  /** By partition number. */
  readonly partitions: PartitionImage[]
}

export interface DeletedTopic {
  readonly topicId: TopicId
  readonly name: string
  /** Have not confirmed yet that their replicas are gone. */
  readonly holders: readonly NodeId[]
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
  readonly deletedTopics: Map<TopicId, DeletedTopic>
  /** Of the topics that were deleted last, in that order: whoever asks again for the creation of one gets no second topic of its id. */
  readonly deletedIds: Set<TopicId>
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
    deletedIds: new Set(),
    nextProducerId: 0n,
    features: new Map(),
  }
}

/** An independent copy: what is replayed on one never shows in the other. What records brought is shared, since nobody changes it. */
export function cloneImage(image: MetadataImage): MetadataImage {
  const topics = [...image.topics.values()].map((topic) => ({
    ...topic,
    partitions: [...topic.partitions],
  }))
  return {
    clusterId: image.clusterId,
    brokers: new Map(image.brokers),
    topics: new Map(topics.map((topic) => [topic.name, topic])),
    topicsById: new Map(topics.map((topic) => [topic.topicId, topic])),
    configs: new Map([...image.configs].map(([key, settings]) => [key, new Map(settings)])),
    deletedTopics: new Map(image.deletedTopics),
    deletedIds: new Set(image.deletedIds),
    nextProducerId: image.nextProducerId,
    features: new Map(image.features),
  }
}

export function configKey(resourceType: number, resourceName: string): string {
  return `${resourceType}:${resourceName}`
}
