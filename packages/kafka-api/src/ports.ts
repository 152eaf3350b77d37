import type { Clock } from '@naru/base'
import type { MetadataRuntime } from '@naru/consensus'
import type { LogDirectory } from '@naru/log'
import type { NodeId } from '@naru/model'
import type {
  BrokerConfigs,
  ClusterAdmin,
  FetchSessions,
  PartitionAdmin,
  Partitions,
  ProducerIds,
  ReplicaSelector,
  TopicConfigs,
  Topics,
} from '@naru/services'

/** What an answer may hold at most, whatever a client asks for. */
export interface AnswerLimits {
  /** `fetch.max.bytes` */
  readonly fetchBytesMax: number
  /** `max.request.partition.size.limit` */
  readonly describedPartitionsMax: number
}

/** What handlers use of the broker. Each takes the few that it needs. */
export interface Ports {
  readonly nodeId: NodeId
  readonly clock: Clock
  readonly metadata: MetadataRuntime
  readonly partitions: Partitions
  readonly cluster: ClusterAdmin
  readonly partitionAdmin: Pick<PartitionAdmin, 'elect' | 'reassign' | 'reassignments'>
  readonly topics: Topics
  readonly topicConfigs: TopicConfigs
  readonly fetchSessions: FetchSessions
  readonly replicaSelector: ReplicaSelector
  readonly producerIds: ProducerIds
  readonly directories: readonly LogDirectory[]
  /** Total and usable bytes of the disk that holds a directory. */
  readonly diskSpace: (path: string) => Promise<{ totalBytes: number; usableBytes: number }>
  readonly brokerConfigs: Pick<BrokerConfigs, 'describe' | 'describeOfAll' | 'alter'>
  /** `auto.create.topics.enable` */
  readonly autoCreates: boolean
  readonly limits: AnswerLimits
}
