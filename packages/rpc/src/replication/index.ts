export type {
  Accepted,
  Acknowledgement,
  Batches,
  Divergence,
  FollowerFrame,
  Greeting,
  LeaderFrame,
  OutgoingBatches,
  OutgoingFollowerFrame,
  OutgoingLeaderFrame,
  Refusal,
  Subscription,
} from './frames.ts'
