/**
 * The offsets of a partition as its leader sees them. With one replica the high watermark follows what that replica has
 * confirmed; with more it will be the least of the in-sync ones.
 * Invariant: logStartOffset <= lastStableOffset <= highWatermark <= logEndOffset.
 */
import { assert } from '@naru/base'
import { type KafkaError, kafkaErrors } from '@naru/model'

export interface LeaderOffsets {
  readonly logStartOffset: bigint
  readonly highWatermark: bigint
  readonly logEndOffset: bigint
}

export class PartitionLeader {
  readonly leaderEpoch: number
  #logStartOffset: bigint
  #highWatermark: bigint
  #logEndOffset: bigint

  constructor(leaderEpoch: number, offsets: LeaderOffsets) {
    this.leaderEpoch = leaderEpoch
    this.#logStartOffset = offsets.logStartOffset
    this.#highWatermark = offsets.highWatermark
    this.#logEndOffset = offsets.logEndOffset
    this.#assertOrder()
  }

  get logStartOffset(): bigint {
    return this.#logStartOffset
  }

  /** Exclusive end of what every in-sync replica has: readers see what lies below. */
  get highWatermark(): bigint {
    return this.#highWatermark
  }

  /** Exclusive end for read_committed. Without transactions it is the high watermark. */
  get lastStableOffset(): bigint {
    return this.#highWatermark
  }

  get logEndOffset(): bigint {
    return this.#logEndOffset
  }

  /** A batch was appended that ends before `endOffset`. */
  appended(endOffset: bigint): void {
    assert(endOffset > this.#logEndOffset, `Append ends at ${endOffset}`)
    this.#logEndOffset = endOffset
  }

  /** The leader's own log is confirmed up to `offset`. True when the high watermark moved. */
  confirmed(offset: bigint): boolean {
    if (offset <= this.#highWatermark) return false
    this.#highWatermark = offset
    this.#assertOrder()
    return true
  }

  /** Where a deletion of records must leave the log's start (KIP-107); -1 asks for the high watermark. */
  deletionTarget(offset: bigint): bigint | KafkaError {
    const target = offset === -1n ? this.#highWatermark : offset
    if (target < 0n || target > this.#highWatermark) return kafkaErrors.OFFSET_OUT_OF_RANGE
    return target
  }

  startMoved(offset: bigint): void {
    if (offset > this.#logStartOffset) this.#logStartOffset = offset
    this.#assertOrder()
  }

  /** Whether a client's idea of the leadership is ours (KIP-320); -1 asks for no check. */
  checkEpoch(currentLeaderEpoch: number): KafkaError | undefined {
    if (currentLeaderEpoch === -1 || currentLeaderEpoch === this.leaderEpoch) return undefined
    return currentLeaderEpoch < this.leaderEpoch
      ? kafkaErrors.FENCED_LEADER_EPOCH
      : kafkaErrors.UNKNOWN_LEADER_EPOCH
  }

  #assertOrder(): void {
    assert(
      this.#logStartOffset <= this.#highWatermark && this.#highWatermark <= this.#logEndOffset,
      `Offsets are out of order: ${this.#logStartOffset}, ${this.#highWatermark}, ${this.#logEndOffset}`,
    )
  }
}
