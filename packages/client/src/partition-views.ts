/** Partitions as an administrator sees them. */
import type { apis, ResponseOf } from '@naru/protocol'
import type { TopicView } from './topic-view.ts'

export interface NamedPartition {
  readonly topic: string
  readonly partition: number
}

export interface PartitionView extends NamedPartition {
  /** -1 when there is none at the moment. */
  readonly leader: number
  readonly leaderEpoch: number
  /** In order of preference. */
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** Out of sync, and known to have all that was acknowledged. This and the next are undefined from brokers before Kafka 3.8. */
  readonly elr: readonly number[] | undefined
  readonly lastKnownElr: readonly number[] | undefined
  readonly offline: readonly number[] | undefined
  /** Of the replicas, those that a reassignment adds and removes. */
  readonly adding: readonly number[]
  readonly removing: readonly number[]
  /** Undefined when the topic's configuration is not told. */
  readonly minIsr: number | undefined
}

/** What one partition came to where several were asked for. */
export interface PartitionOutcome extends NamedPartition {
  /** 0 when it was done. */
  readonly errorCode: number
  readonly errorMessage: string | null
}

export type DescribedPartition = Omit<PartitionView, 'adding' | 'removing' | 'minIsr'>

type DescribedTopics = ResponseOf<typeof apis.describeTopicPartitions>['topics']

export function describedPartitions(topics: DescribedTopics): DescribedPartition[] {
  return topics.flatMap(({ name, partitions }) =>
    partitions.map((partition) => ({
      topic: name ?? '',
      partition: partition.partitionIndex,
      leader: partition.leaderId,
      leaderEpoch: partition.leaderEpoch,
      replicas: partition.replicaNodes,
      isr: partition.isrNodes,
      elr: partition.eligibleLeaderReplicas ?? [],
      lastKnownElr: partition.lastKnownElr ?? [],
      offline: partition.offlineReplicas,
    })),
  )
}

/** What older brokers tell. */
export function shownPartitions(topics: readonly TopicView[]): DescribedPartition[] {
  return topics.flatMap(({ name, partitions }) =>
    partitions.map((partition) => ({
      topic: name,
      ...partition,
      ...{ elr: undefined, lastKnownElr: undefined, offline: undefined },
    })),
  )
}

/** By name, then by number. */
export function byPartition(a: NamedPartition, b: NamedPartition): number {
  if (a.topic !== b.topic) return a.topic < b.topic ? -1 : 1
  return a.partition - b.partition
}
