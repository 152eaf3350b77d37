import type { NodeId } from '@naru/model'

/** What a follower says of its log. `flushedOffset`: up to where it is on the disk. */
export interface ReplicaOffsets {
  readonly logEndOffset: bigint
  readonly flushedOffset: bigint
}

/** What a follower has to reach to have everything. */
export interface LeaderEnd {
  readonly offset: bigint
  /** By what is on its disk, not by what it has written. */
  readonly isFlushed: boolean
}

/**
 * How far one follower has come in one subscription, which passed the divergence check: its log is a prefix of the leader's. A new
 * subscription begins with nothing of what an earlier one said.
 */
export class FollowerProgress {
  readonly nodeId: NodeId
  /** Of the process that subscribed (KIP-903). */
  readonly brokerEpoch: bigint
  /**
   * Where its log began when it subscribed; later only the leader's own start moves it. Undefined: a version that does not say, nor
   * serves readers.
   */
  readonly logStartOffset: bigint | undefined
  #logEndOffset: bigint
  #flushedOffset: bigint
  /** When it last had all that the leader had at that time. */
  #caughtUpMs: number
  /** The leader's end at some time, until it is reached. */
  #sample: { readonly offset: bigint; readonly atMs: number }
  #hasEnded = false

  constructor(options: {
    nodeId: NodeId
    brokerEpoch: bigint
    logStartOffset: bigint | undefined
    offsets: ReplicaOffsets
    caughtUpMs: number
    leaderEnd: LeaderEnd
    nowMs: number
  }) {
    this.nodeId = options.nodeId
    this.brokerEpoch = options.brokerEpoch
    this.logStartOffset = options.logStartOffset
    this.#logEndOffset = options.offsets.logEndOffset
    this.#flushedOffset = options.offsets.flushedOffset
    this.#caughtUpMs = options.caughtUpMs
    this.#sample = { offset: options.leaderEnd.offset, atMs: options.nowMs }
    this.#noteCaughtUp(options.leaderEnd, options.nowMs)
  }

  get caughtUpMs(): number {
    return this.#caughtUpMs
  }

  /** Its stream is gone. What it acknowledged is on that follower's disk all the same. */
  get hasEnded(): boolean {
    return this.#hasEnded
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

  ended(): void {
    this.#hasEnded = true
  }

  acknowledged(offsets: ReplicaOffsets, leaderEnd: LeaderEnd, nowMs: number): void {
    this.#logEndOffset = offsets.logEndOffset
    this.#flushedOffset = offsets.flushedOffset
    this.#noteCaughtUp(leaderEnd, nowMs)
  }

  /** One that had everything had nothing to say since: being behind counts from when it is first seen. */
  observe(leaderEnd: LeaderEnd, nowMs: number): void {
    if (this.offset(leaderEnd.isFlushed) < this.#sample.offset) return
    this.#caughtUpMs = nowMs
    this.#sample = { offset: leaderEnd.offset, atMs: nowMs }
  }

  /** Whether it has been behind for longer than `replica.lag.time.max.ms`. */
  isLagging(leaderEnd: LeaderEnd, nowMs: number, lagMsMax: number): boolean {
    const isBehind = this.offset(leaderEnd.isFlushed) < leaderEnd.offset
    return isBehind && nowMs - this.#caughtUpMs > lagMsMax
  }

  #noteCaughtUp(leaderEnd: LeaderEnd, nowMs: number): void {
    const offset = this.offset(leaderEnd.isFlushed)
    if (offset >= leaderEnd.offset) this.#caughtUpMs = nowMs
    if (offset < this.#sample.offset) return
    if (this.#sample.atMs > this.#caughtUpMs) this.#caughtUpMs = this.#sample.atMs
    this.#sample = { offset: leaderEnd.offset, atMs: nowMs }
  }
}
