/** A replica that follows its partition's leader, for one leader epoch: appends what it is sent, and cuts what the leader does not have. */
import type { Clock } from '@naru/base'
import { type Log, type LogDirectory, LogDirectoryError } from '@naru/log'
import { kafkaErrors, type TopicId } from '@naru/model'
import type { LeaderEpochs, PartitionFollower } from '@naru/partition'
import {
  type BatchHeader,
  batchesOf,
  batchHeaderBytes,
  isCrcValid,
  magicAt,
  readBatchHeader,
} from '@naru/records'
import type {
  Accepted,
  Acknowledgement,
  Batches,
  Divergence,
  Refusal,
  Subscription,
} from '@naru/rpc/replication'
import { offsetsOf } from './leading-replica.ts'

/** The way to the leader. */
export interface LeaderLink {
  /** The log has come further. */
  acknowledge(replica: FollowingReplica): void
  /** Asks for what comes after the end of the log, as it is now. */
  subscribe(replica: FollowingReplica): void
  /** As `subscribe`, after a while: the leader, or this disk, cannot help it now. */
  subscribeLater(replica: FollowingReplica): void
  /** Whether it is throttled has changed. */
  throttleChanged(replica: FollowingReplica): void
}

export interface FollowingReplicaOptions {
  readonly topicId: TopicId
  readonly partition: number
  readonly core: PartitionFollower
  readonly log: Log
  readonly directory: LogDirectory
  readonly derived: { readonly epochs: LeaderEpochs; replay(header: BatchHeader): void }
  readonly clock: Clock
  /** Readers may see more, or less. */
  readonly onMoved: () => void
  /** What the leader asks for would destroy committed records: this replica stops to follow. */
  readonly onFatal: (endOffset: bigint) => void
}

/** What the leader sent is not what lies in a log. */
export class DamagedBatchError extends Error {
  override readonly name = 'DamagedBatchError'
}

export class FollowingReplica {
  readonly topicId: TopicId
  readonly partition: number
  readonly core: PartitionFollower
  readonly #options: FollowingReplicaOptions
  readonly #log: Log
  #link: LeaderLink | undefined
  #id: number | undefined
  /** The log is being cut, or its start moved. */
  #changing: Promise<void> | undefined
  #isMovingStart = false
  /** Of the leader's log, as it was last heard. */
  #leaderStart = 0n
  #isOver = false
  #isThrottled = false
  /** What readers were last told of. */
  #toldEnd: bigint | undefined

  constructor(options: FollowingReplicaOptions) {
    this.topicId = options.topicId
    this.partition = options.partition
    this.core = options.core
    this.#options = options
    this.#log = options.log
    // Epochs in which nothing was written say nothing of this log, and no leader may know them.
    options.derived.epochs.truncateEnd(options.log.logEndOffset)
    this.#toldEnd = this.readableEnd
  }

  /** Of its subscription, while it has one. */
  get id(): number | undefined {
    return this.#id
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** The leader sends it no more than the quota of this broker gives. */
  get isThrottled(): boolean {
    return this.#isThrottled
  }

  throttle(isThrottled: boolean): void {
    if (this.#isThrottled === isThrottled) return
    this.#isThrottled = isThrottled
    if (this.#id !== undefined) this.#link?.throttleChanged(this)
  }

  /** Exclusive end of what readers may see; undefined while that is nothing. */
  get readableEnd(): bigint | undefined {
    if (this.#changing !== undefined || this.#isOver) return undefined
    return this.core.readableEnd(this.#log.confirmedOffset)
  }

  /** Whether the log is what its leader has, as far as it goes: only then it can be said what is not in it. */
  get isSettled(): boolean {
    return this.core.isAccepted && this.#changing === undefined && !this.#isOver
  }

  get logStartOffset(): bigint {
    return this.#log.logStartOffset
  }

  get logEndOffset(): bigint {
    return this.#log.logEndOffset
  }

  attach(link: LeaderLink): void {
    this.#link = link
  }

  /** Begins a subscription; undefined while the log is not ready for one. */
  subscribe(id: number): Subscription | undefined {
    if (this.#changing !== undefined || this.#isOver) return undefined
    this.#id = id
    this.core.subscribed(id)
    const { topicId, partition, core } = this
    return {
      id,
      topicId,
      partition,
      leaderEpoch: core.leaderEpoch,
      logEndOffset: this.#log.logEndOffset,
      flushedOffset: offsetsOf(this.#log).flushedOffset,
      lastEpoch: this.#options.derived.epochs.latest ?? -1,
      logStartOffset: this.#log.logStartOffset,
    }
  }

  /** The stream to the leader is gone, and the subscription with it. */
  disconnected(): void {
    this.#id = undefined
    this.core.unsubscribed()
  }

  acknowledgement(): Acknowledgement | undefined {
    if (this.#id === undefined || !this.core.isAccepted) return undefined
    return { id: this.#id, ...offsetsOf(this.#log) }
  }

  /** The log has confirmed more of what was appended. */
  confirmed(): void {
    if (this.core.isAccepted) this.#link?.acknowledge(this)
    this.#tellReaders()
  }

  accepted(answer: Accepted): void {
    if (!this.core.accepted(answer.id)) return
    this.#heard(answer)
    this.#link?.acknowledge(this)
  }

  diverging(answer: Divergence): void {
    const { epochs } = this.#options.derived
    const { logEndOffset } = this.#log
    const truncation = this.core.diverging(answer.id, answer, { epochs, logEndOffset })
    if (truncation.kind === 'stale') return
    this.#id = undefined
    const { endOffset } = truncation
    if (truncation.kind === 'fatal') this.#options.onFatal(endOffset)
    else this.#change(() => this.#options.directory.truncate(this.#log, endOffset))
  }

  refused(answer: Refusal): void {
    if (answer.id !== this.#id) return
    if (answer.errorCode === kafkaErrors.OFFSET_OUT_OF_RANGE.code) this.#outOfRange(answer)
    else {
      this.disconnected()
      this.#link?.subscribeLater(this)
    }
  }

  #outOfRange({ id, logStartOffset }: Refusal): void {
    const restart = this.core.outOfRange(id, logStartOffset)
    this.#id = undefined
    if (restart.kind === 'stale') return
    const { endOffset: startOffset } = restart
    if (restart.kind === 'fatal') this.#options.onFatal(startOffset)
    else this.#change(() => this.#startAt(startOffset))
  }

  /**
   * Begins where the leader does, with nothing of what was below. A log that goes that far may be all that is left of what is committed:
   * it keeps its end through a crash at any moment, which one that begins anew does not. All of it is one change: what is left in between
   * may be another log's, and readers are not to see it.
   */
  async #startAt(startOffset: bigint): Promise<void> {
    const { directory, derived } = this.#options
    let { logEndOffset } = this.#log
    if (logEndOffset > startOffset) logEndOffset = await directory.truncate(this.#log, startOffset)
    if (logEndOffset < startOffset) await directory.restartAt(this.#log, startOffset)
    else {
      await directory.moveStart(this.#log, startOffset)
      derived.epochs.truncateStart(startOffset)
      derived.epochs.truncateEnd(startOffset)
    }
  }

  /** Appends whole batches. Throws DamagedBatchError before anything damaged is appended. */
  received(batches: Batches): void {
    const { id, records } = batches
    for (const batch of batchesOf(records)) {
      const header = wholeBatch(batch)
      const range = { baseOffset: header.baseOffset, nextOffset: header.lastOffset + 1n }
      const verdict = this.core.judge(id, range, this.#log)
      if (verdict === 'stale') return
      if (verdict === 'duplicate') continue
      if (verdict === 'within') {
        this.#beginWith(batch, header)
        return
      }
      if (verdict === 'gap') {
        this.#link?.subscribe(this)
        return
      }
      this.#log.append(batch, header)
      this.#options.derived.replay(header)
    }
    this.#heard(batches)
  }

  /** Settles when the log is left alone; undefined when it is. */
  get changing(): Promise<void> | undefined {
    return this.#changing
  }

  /** It follows no more. */
  end(): void {
    this.#isOver = true
    this.disconnected()
  }

  #tellReaders(): void {
    const { readableEnd } = this
    if (readableEnd === this.#toldEnd) return
    this.#toldEnd = readableEnd
    this.#options.onMoved()
  }

  #heard({ id, highWatermark, logStartOffset }: Accepted): void {
    this.core.committed(id, highWatermark, this.#log.logEndOffset)
    this.#tellReaders()
    this.#leaderStart = logStartOffset
    void this.#moveStart()
  }

  /** The log begins with this batch, although its first records are deleted: the start follows when the leader says it again. */
  #beginWith(batch: Buffer, header: BatchHeader): void {
    this.disconnected()
    this.#change(async () => {
      await this.#options.directory.restartAt(this.#log, header.baseOffset)
      if (this.#isOver) return
      this.#log.append(batch, header)
      this.#options.derived.replay(header)
    })
  }

  /** Rule D4: what is changed is durable before anything else is said of the log. */
  #change(work: () => Promise<unknown>): void {
    const done = (isDone: boolean) => {
      this.#changing = undefined
      if (this.#isOver) return
      this.#tellReaders()
      if (isDone) this.#link?.subscribe(this)
      else this.#link?.subscribeLater(this)
    }
    this.#changing = work().then(
      () => done(true),
      (error: unknown) => {
        if (!(error instanceof LogDirectoryError)) throw error
        done(false)
      },
    )
  }

  /** Where the log is to begin: what its leader has deleted is committed here, too. */
  get #dueStart(): bigint | undefined {
    const isDue = this.#leaderStart > this.#log.logStartOffset && this.#changing === undefined
    return isDue && this.#leaderStart <= this.core.highWatermark ? this.#leaderStart : undefined
  }

  /** Retention of the leader. Where it fails the directory has gone offline. */
  async #moveStart(): Promise<void> {
    if (this.#isMovingStart) return
    this.#isMovingStart = true
    try {
      // The leader may delete more while the disk is at work, and say nothing after that.
      for (let offset = this.#dueStart; offset !== undefined; offset = this.#dueStart) {
        await this.#options.directory.moveStart(this.#log, offset)
        this.#options.derived.epochs.truncateStart(offset)
        if (this.#log.logStartOffset < offset || this.#isOver) return
      }
    } catch (error) {
      if (!(error instanceof LogDirectoryError)) throw error
    } finally {
      this.#isMovingStart = false
    }
  }
}

function wholeBatch(batch: Buffer): BatchHeader {
  const isWhole =
    batch.length >= batchHeaderBytes &&
    magicAt(batch, 0) === 2 &&
    isCrcValid(batch, 0, batch.length)
  if (!isWhole) throw new DamagedBatchError('A leader sent a damaged batch')
  return readBatchHeader(batch)
}
