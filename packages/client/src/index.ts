export type { TopicSetting } from './admin.ts'
export { Admin } from './admin.ts'
export type { FeatureUpdate, VoterKey } from './cluster-admin.ts'
export { ClusterAdmin } from './cluster-admin.ts'
export type { ClusterEvent } from './cluster-events.ts'
export type {
  BrokerView,
  ClusterView,
  Endpoint,
  FeatureView,
  QuorumReplica,
  QuorumView,
} from './cluster-views.ts'
export type { ConnectOptions } from './connect.ts'
export { Client, connect } from './connect.ts'
export type { ConsumedRecord, ConsumeOptions } from './consumer.ts'
export { addressText } from './diagnosis.ts'
export type { NaruErrorCode } from './errors.ts'
export { NaruError } from './errors.ts'
export type { EventsRequest } from './event-watch.ts'
export type { Position } from './offsets.ts'
export { PartitionAdmin } from './partition-admin.ts'
export type {
  LastElection,
  LastIsrChange,
  PartitionExplanation,
  ReplicaExplanation,
} from './partition-explanation.ts'
export type { NamedPartition, PartitionOutcome, PartitionView } from './partition-views.ts'
export { murmur2, partitionForKey } from './partitioner.ts'
export type { NewRecord, ProducerOptions, Sent } from './producer.ts'
export { Producer } from './producer.ts'
export type { TopicView } from './topic-view.ts'
