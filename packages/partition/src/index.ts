export type { ReplicaOffsets } from './follower-progress.ts'
export { FollowerProgress } from './follower-progress.ts'
export type { IsrProposal } from './in-sync-set.ts'
export { InSyncSet } from './in-sync-set.ts'
export type { EpochStart } from './leader-epochs.ts'
export {
  agreedEnd,
  decodeLeaderEpochs,
  divergence,
  encodeLeaderEpochs,
  LeaderEpochs,
} from './leader-epochs.ts'
export type { ReaderPlace, ServingFollower } from './nearest-replica.ts'
export { nearestReplica } from './nearest-replica.ts'
export type { BatchVerdict, Truncation } from './partition-follower.ts'
export { PartitionFollower } from './partition-follower.ts'
export type {
  BrokersView,
  LeaderOffsets,
  PartitionRegistration,
  SubscriptionAnswer,
  SubscriptionRequest,
} from './partition-leader.ts'
export { PartitionLeader } from './partition-leader.ts'
export { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.ts'
export type { AppendedBatch, ProducerEntry, Verdict } from './producer-state.ts'
export { ProducerState, rememberedBatches } from './producer-state.ts'
