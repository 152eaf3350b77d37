export type {
  Accepted,
  Acknowledgement,
  Batches,
  Credit,
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
export { type FrameCodec, replicationCodecs } from './replication-codecs.ts'
