import type { NodeId } from '@naru/model'

/** What a follower says of its log. `flushedOffset`: up to where it is on the disk. */
export interface ReplicaOffsets {
  readonly logEndOffset: bigint
  readonly flushedOffset: bigint
}

/**
 * How far one follower has come in one subscription, which passed the divergence check: its log is a prefix of the leader's. A new
 * subscription begins with nothing of what an earlier one said.
 */
export class FollowerProgress {
  readonly nodeId: NodeId
  /** Of the process that subscribed (KIP-903). */
  readonly brokerEpoch: bigint
  #logEndOffset: bigint
  #flushedOffset: bigint
  /** When it last had all that the leader had at that time. */
  #caughtUpMs: number
  /** The leader's end at some time, until it is reached. */
  #sample: { readonly offset: bigint; readonly atMs: number }

  constructor(options: {
    nodeId: NodeId
    brokerEpoch: bigint
    offsets: ReplicaOffsets
    caughtUpMs: number
    leaderEndOffset: bigint
    nowMs: number
  }) {
    this.nodeId = options.nodeId
    this.brokerEpoch = options.brokerEpoch
    this.#logEndOffset = options.offsets.logEndOffset
    this.#flushedOffset = options.offsets.flushedOffset
    this.#caughtUpMs = options.caughtUpMs
    this.#sample = { offset: options.leaderEndOffset, atMs: options.nowMs }
    this.#noteCaughtUp(options.leaderEndOffset, options.nowMs)
  }

  get caughtUpMs(): number {
    return this.#caughtUpMs
  }

  get logEndOffset(): bigint {
    return this.#logEndOffset
  }

  get flushedOffset(): bigint {
    return this.#flushedOffset
  }

  /** Up to where an acknowledgement may rely on it: what is flushed, or for topics without that what is written. */
  offset(isFlushed: boolean): bigint {
    return isFlushed ? this.#flushedOffset : this.#logEndOffset
  }

  acknowledged(offsets: ReplicaOffsets, leaderEndOffset: bigint, nowMs: number): void {
    this.#logEndOffset = offsets.logEndOffset
    this.#flushedOffset = offsets.flushedOffset
    this.#noteCaughtUp(leaderEndOffset, nowMs)
  }

  /** Whether it has been behind for longer than `replica.lag.time.max.ms`. */
  isLagging(leaderEndOffset: bigint, nowMs: number, lagMsMax: number): boolean {
    return this.#logEndOffset < leaderEndOffset && nowMs - this.#caughtUpMs > lagMsMax
  }

  #noteCaughtUp(leaderEndOffset: bigint, nowMs: number): void {
    if (this.#logEndOffset >= leaderEndOffset) this.#caughtUpMs = nowMs
    if (this.#logEndOffset < this.#sample.offset) return
    if (this.#sample.atMs > this.#caughtUpMs) this.#caughtUpMs = this.#sample.atMs
    this.#sample = { offset: leaderEndOffset, atMs: nowMs }
  }
}
