/**
 * A replica that leads its partition, for one leader epoch: feeds the core with what the log and the followers confirm, and wakes
 * those who wait for it.
 */
import type { Clock } from '@naru/base'
import type { Log } from '@naru/log'
import { kafkaErrors } from '@naru/model'
import type {
  FollowerProgress,
  LeaderEpochs,
  PartitionLeader,
  PartitionRegistration,
  ReplicaOffsets,
  SubscriptionAnswer,
  SubscriptionRequest,
} from '@naru/partition'
import type { BatchHeader } from '@naru/records'
import { OffsetWaiters, type WaitOver } from './offset-waiters.ts'
import { RecentBatches, type RecentBytes } from './recent-batches.ts'

/** A follower that is sent what the leader appends. */
export interface Feed {
  /** What comes next. */
  readonly nextOffset: bigint
  /** There are batches that it has not been sent. */
  appended(): void
  /** The high watermark or the start of the log moved. */
  offsetsMoved(): void
  /** The leadership is over. */
  ended(): void
}

export interface LeadingReplicaOptions {
  readonly core: PartitionLeader
  readonly log: Log
  readonly epochs: LeaderEpochs
  readonly clock: Clock
  /** Of all that lead on this broker. */
  readonly recentBytes: RecentBytes
  /** The high watermark moved. */
  readonly onMoved: () => void
  /** The controller is to be asked for another in-sync set: `core.takeProposal`. */
  readonly onProposalDue: () => void
}

export class LeadingReplica {
  readonly core: PartitionLeader
  readonly log: Log
  readonly recent: RecentBatches
  /** What catches up is held back here: `leader.replication.throttled.replicas` names it. */
  isThrottled = false
  readonly #options: LeadingReplicaOptions
  readonly #feeds = new Set<Feed>()
  readonly #committed: OffsetWaiters
  readonly #written: OffsetWaiters
  #isOver = false

  constructor(options: LeadingReplicaOptions) {
    this.core = options.core
    this.log = options.log
    this.#options = options
    this.recent = new RecentBatches(options.recentBytes)
    this.#committed = new OffsetWaiters(options.clock)
    this.#written = new OffsetWaiters(options.clock)
    // A leader's epoch begins where its log ends, also when nothing is written in it (rule D1).
    options.epochs.assign(this.core.leaderEpoch, this.core.logEndOffset)
    this.confirmed()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** A batch was given to the log. */
  appended(bytes: Buffer, header: BatchHeader): void {
    const nextOffset = header.lastOffset + 1n
    this.core.appended(nextOffset)
    if (this.#feeds.size > 0) {
      this.recent.appended({ baseOffset: header.baseOffset, nextOffset, bytes })
      for (const feed of this.#feeds) feed.appended()
    }
    this.#propose()
  }

  /** The log has confirmed more of what was appended. */
  confirmed(): void {
    const { confirmedOffset } = this.log
    this.sent()
    this.#written.reached(confirmedOffset)
    this.#settle(this.core.confirmed(offsetsOf(this.log)))
    for (const feed of this.#feeds) feed.appended()
  }

  /** Calls `done` when everything below `endOffset` is in all in-sync replicas, or with the error that prevents it. */
  whenCommitted(endOffset: bigint, timeoutMs: number, done: WaitOver): void {
    if (this.core.highWatermark >= endOffset) done(undefined)
    else if (this.#isOver) done(kafkaErrors.NOT_LEADER_OR_FOLLOWER)
    else this.#committed.wait(endOffset, timeoutMs, done)
  }

  /** As `whenCommitted`, for the leader's own log. */
  whenWritten(endOffset: bigint, timeoutMs: number, done: WaitOver): void {
    if (this.log.confirmedOffset >= endOffset) done(undefined)
    else this.#written.wait(endOffset, timeoutMs, done)
  }

  subscribe(request: SubscriptionRequest): SubscriptionAnswer {
    const { highWatermark } = this.core
    const answer = this.core.subscribe(request, this.#options.epochs, this.#nowMs())
    this.#settle(this.core.highWatermark > highWatermark)
    return answer
  }

  feed(feed: Feed): void {
    this.#feeds.add(feed)
  }

  unfeed(feed: Feed, progress: FollowerProgress): void {
    this.#feeds.delete(feed)
    this.core.unsubscribed(progress)
    // Without followers nothing is added: what was here would not join what comes.
    if (this.#feeds.size === 0) this.recent.clear()
    else this.sent()
  }

  /** Followers have been sent more, or there are fewer of them: what the others need is kept. */
  sent(): void {
    const { startOffset } = this.recent
    if (startOffset === undefined) return
    let wantedOffset = this.log.logEndOffset
    for (const { nextOffset } of this.#feeds) {
      // Who comes from further back reads the log until it is here.
      const isHere = nextOffset >= startOffset
      if (isHere && nextOffset < wantedOffset) wantedOffset = nextOffset
    }
    this.recent.drop(this.log.confirmedOffset, wantedOffset)
  }

  acknowledged(progress: FollowerProgress, offsets: ReplicaOffsets): void {
    this.#settle(this.core.acknowledged(progress, offsets, this.#nowMs()))
  }

  /** Its stream broke, and it has not come back in time. */
  missing(progress: FollowerProgress): void {
    if (this.core.followers.get(progress.nodeId) !== progress) return
    this.core.missing(progress.nodeId)
    this.#propose()
  }

  /** What the metadata or the answer to a proposal says of the partition. */
  adopt(registration: PartitionRegistration): void {
    const hasMoved = this.core.adopt(registration, this.#nowMs())
    if (!this.core.hasEnoughInSync) {
      this.#committed.fail(kafkaErrors.NOT_ENOUGH_REPLICAS_AFTER_APPEND)
    }
    this.#settle(hasMoved)
  }

  tick(): void {
    this.#settle(this.core.tick(this.#nowMs()))
  }

  brokersChanged(): void {
    this.#settle(this.core.brokersChanged(this.#nowMs()))
  }

  /** Whether all that is acknowledged from now on shall be flushed. */
  wantFlushed(isWanted: boolean): void {
    if (isWanted) this.core.wantFlushed()
    else this.core.wantUnflushed()
    this.#propose()
  }

  startMoved(offset: bigint): void {
    this.core.startMoved(offset)
    for (const feed of this.#feeds) feed.offsetsMoved()
  }

  /** The leadership is over, or the log is lost: nobody who waits will be acknowledged. */
  end(error: Parameters<OffsetWaiters['fail']>[0]): void {
    this.#isOver = true
    this.#committed.fail(error)
    this.#written.fail(error)
    for (const feed of [...this.#feeds]) feed.ended()
    this.#feeds.clear()
    this.recent.clear()
  }

  #settle(hasMoved: boolean): void {
    if (hasMoved) {
      this.#committed.reached(this.core.highWatermark)
      for (const feed of this.#feeds) feed.offsetsMoved()
      this.#options.onMoved()
    }
    this.#propose()
  }

  #propose(): void {
    if (this.core.isProposalDue && !this.#isOver) this.#options.onProposalDue()
  }

  #nowMs(): number {
    return this.#options.clock.monotonic()
  }
}

/** What a replica may say of its log: written counts, and as flushed only what the log's flush mode promises. */
export function offsetsOf(log: Log): ReplicaOffsets {
  const { confirmedOffset } = log
  const flushedOffset = log.flushMode === 'ack' ? confirmedOffset : 0n
  return { logEndOffset: confirmedOffset, flushedOffset }
}
