/**
 * The messages of `replication.proto`. In a frame that was received, lists are there, empty when nothing was said; in one that is sent,
 * whatever is empty may be left out.
 */

/** Everything that the followers had to say in one turn. */
export interface FollowerFrame {
  readonly hello: Greeting | undefined
  readonly subscriptions: readonly Subscription[]
  readonly acknowledgements: readonly Acknowledgement[]
  /** Ids of subscriptions that are given up. */
  readonly cancelled: readonly number[]
  readonly credits: readonly Credit[]
}

/** Everything that the leaders had to say in one turn. */
export interface LeaderFrame {
  readonly hello: Greeting | undefined
  readonly accepted: readonly Accepted[]
  readonly diverging: readonly Divergence[]
  readonly refused: readonly Refusal[]
  readonly batches: readonly Batches[]
}

export type OutgoingFollowerFrame = Partial<FollowerFrame>
export type OutgoingLeaderFrame = Partial<
  Omit<LeaderFrame, 'batches'> & { readonly batches: readonly OutgoingBatches[] }
>

export interface Greeting {
  readonly clusterId: string
  readonly nodeId: number
  readonly expectedNodeId: number
  readonly brokerEpoch: bigint
  readonly incarnationId: string
}

export interface Subscription {
  readonly id: number
  readonly topicId: string
  readonly partition: number
  readonly leaderEpoch: number
  readonly logEndOffset: bigint
  readonly flushedOffset: bigint
  /** -1 for an empty log. */
  readonly lastEpoch: number
  /** Undefined: a follower of an earlier version, which serves no readers. */
  readonly logStartOffset: bigint | undefined
}

export interface Acknowledgement {
  readonly id: number
  readonly logEndOffset: bigint
  readonly flushedOffset: bigint
}

export interface Credit {
  readonly id: number
  /** -1: without limit. */
  readonly bytes: number
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

interface BatchesHead {
  readonly id: number
  readonly logStartOffset: bigint
  readonly highWatermark: bigint
}

export interface Batches extends BatchesHead {
  /** A view of the frame that came. */
  readonly records: Buffer
}

export interface OutgoingBatches extends BatchesHead {
  /** Written one behind the other. */
  readonly records: readonly Buffer[]
}
