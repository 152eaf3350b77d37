/** What the brokers of a follower and of a leader say to each other in one turn, as `naru.internal.v1` has it. */
import type { TopicId } from '@naru/model'

/** The first that is said in each direction. */
export interface Greeting {
  readonly clusterId: string
  /** Who speaks. */
  readonly nodeId: number
  /** To whom the speaker means to talk. */
  readonly expectedNodeId: number
  /** Of the speaker's registration. */
  readonly brokerEpoch: bigint
  readonly incarnationId: string
}

export interface Subscription {
  /** Unique for the process that subscribes. */
  readonly id: number
  readonly topicId: TopicId
  readonly partition: number
  readonly leaderEpoch: number
  readonly logEndOffset: bigint
  readonly flushedOffset: bigint
  /** -1 for an empty log. */
  readonly lastEpoch: number
}

export interface Acknowledgement {
  readonly id: number
  readonly logEndOffset: bigint
  readonly flushedOffset: bigint
}

export interface FollowerFrame {
  readonly hello?: Greeting | undefined
  readonly subscriptions: readonly Subscription[]
  readonly acknowledgements: readonly Acknowledgement[]
  /** Ids of subscriptions that are over. */
  readonly cancelled: readonly number[]
}

export interface Accepted {
  readonly id: number
  readonly logStartOffset: bigint
  readonly highWatermark: bigint
}

export interface Divergence {
  readonly id: number
  readonly epoch: number
  readonly endOffset: bigint
}

export interface Refusal {
  readonly id: number
  readonly errorCode: number
  readonly logStartOffset: bigint
}

export interface Batches<Records = Buffer> {
  readonly id: number
  readonly logStartOffset: bigint
  readonly highWatermark: bigint
  /** Whole batches as they lie in the log. Empty: only the offsets are new. */
  readonly records: Records
}

/** Records are several buffers when they are sent and one when they are received. */
export interface LeaderFrame<Records = Buffer> {
  readonly hello?: Greeting | undefined
  readonly accepted: readonly Accepted[]
  readonly diverging: readonly Divergence[]
  readonly refused: readonly Refusal[]
  readonly batches: readonly Batches<Records>[]
}
