import type { ReplicaOffsets, SubscriptionRequest } from '@naru/partition'
import type { Batch } from './model-log.ts'

/** Between a follower and its leader. `id`: of the subscription. */
export type ReplicationMessage =
  | {
      readonly kind: 'subscribe'
      readonly id: number
      readonly request: SubscriptionRequest
      /** For the check, not for the leader: the follower's last batch. */
      readonly tip: Batch | undefined
    }
  | { readonly kind: 'accepted'; readonly id: number }
  | {
      readonly kind: 'diverging'
      readonly id: number
      readonly epoch: number
      readonly endOffset: bigint
      /** For a log that begins later, and has to begin anew there. */
      readonly base: Batch | undefined
    }
  /** The leader has nothing so old any more; the follower begins after `base`. */
  | { readonly kind: 'outOfRange'; readonly id: number; readonly base: Batch | undefined }
  | {
      readonly kind: 'data'
      readonly id: number
      readonly batches: readonly Batch[]
      readonly highWatermark: bigint
      readonly logStartOffset: bigint
    }
  | { readonly kind: 'ack'; readonly id: number; readonly offsets: ReplicaOffsets }
