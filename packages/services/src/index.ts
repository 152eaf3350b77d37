export type { DescribedBrokerConfig } from './broker-configs.ts'
export { BrokerConfigs } from './broker-configs.ts'
export { Cluster } from './cluster.ts'
export type {
  ClusterAdmin,
  ClusterHealth,
  FeatureUpdate,
  QuorumStatus,
  ReplicaStatus,
  VoterKey,
} from './cluster-admin.ts'
export { DeletionConfirmations } from './deletion-confirmations.ts'
export type { EventsPage, EventsRequest, EventWatcher } from './event-watches.ts'
export { EventWatches } from './event-watches.ts'
export type { FetchedPartition, FetchPartition, FetchRequest, FollowerReads } from './fetch.ts'
export { fetch } from './fetch.ts'
export type { SessionAnswer, SessionPartition, SessionPlan, Told } from './fetch-sessions.ts'
export { FetchSessions } from './fetch-sessions.ts'
export { IsrProposals } from './isr-proposals.ts'
export { logEndsOperation, ReplicaLogEnds } from './log-ends.ts'
export { LostReplicas } from './lost-replicas.ts'
export type {
  NamedPartition,
  PartitionMove,
  PartitionOutcome,
  Reassignment,
} from './partition-admin.ts'
export { PartitionAdmin } from './partition-admin.ts'
export type { PartitionExplanation } from './partition-explanation.ts'
export type { LastElection, LastIsrChange, PartitionPast } from './partition-history.ts'
export { PartitionHistory } from './partition-history.ts'
export type { Acks, ReplicaSurroundings } from './partition-host.ts'
export { PartitionHost } from './partition-host.ts'
export type { Deletion, PartitionsOptions } from './partitions.ts'
export { Partitions } from './partitions.ts'
export type { ProduceResult } from './produce.ts'
export { failed, produce } from './produce.ts'
export { ProducerIds } from './producer-ids.ts'
export type { ReadableReplica } from './readable-replica.ts'
export type { ReplicaExplanation } from './replica-explanation.ts'
export type { Reader, ReplicaSelector } from './replica-selectors.ts'
export { leaderSelector, rackAwareSelector } from './replica-selectors.ts'
export { RetentionTask } from './retention-task.ts'
export { storageError } from './storage-error.ts'
export type { FoundOffset } from './timestamp-lookup.ts'
export type { DescribedConfig } from './topic-configs.ts'
export { configSources, defaultTopicConfig, TopicConfigs } from './topic-configs.ts'
export { Topics } from './topics.ts'
