/** The leader's end of one subscription: what has been sent to a follower, and what comes next. */
import { LogDirectoryError } from '@naru/log'
import { type KafkaError, kafkaErrors } from '@naru/model'
import type { FollowerProgress } from '@naru/partition'
import { batchesOf, lastOffsetAt } from '@naru/records'
import type { Acknowledgement, OutgoingBatches } from '@naru/rpc/replication'
import type { Feed, LeadingReplica } from './leading-replica.ts'

/** Sent and not acknowledged yet, of one partition, while acknowledgements wait for the follower. */
const awaitedBytesMax = 4 << 20
/** The same for one that catches up: its disk is full of work with less, and what producers wait for is not to queue behind that. */
const catchUpBytesMax = 1 << 20
const readBytes = 1 << 20

export interface FeedEvents {
  /** `take` may give something. */
  ready(feed: FollowerFeed): void
  /** The follower should hear of the high watermark, with whatever is sent next or before long. */
  offsetsMoved(feed: FollowerFeed): void
  /** Nothing more comes; with an error the follower has to do something about it. */
  over(feed: FollowerFeed, error: KafkaError | undefined): void
}

interface Chunk {
  readonly batches: readonly Buffer[]
  readonly nextOffset: bigint
}

export class FollowerFeed implements Feed {
  readonly id: number
  readonly leading: LeadingReplica
  readonly progress: FollowerProgress
  readonly #events: FeedEvents
  #nextOffset: bigint
  #sentHighWatermark: bigint
  #sentStartOffset: bigint
  /** Oldest first. */
  readonly #unacknowledged: { readonly endOffset: bigint; readonly bytes: number }[] = []
  #unacknowledgedBytes = 0
  #isReading = false
  #read: Chunk | undefined

  constructor(options: {
    id: number
    leading: LeadingReplica
    progress: FollowerProgress
    /** Where the follower's log ends. */
    nextOffset: bigint
    events: FeedEvents
  }) {
    const { leading } = options
    this.id = options.id
    this.leading = leading
    this.progress = options.progress
    this.#events = options.events
    this.#nextOffset = options.nextOffset
    this.#sentHighWatermark = leading.core.highWatermark
    this.#sentStartOffset = leading.core.logStartOffset
  }

  get nextOffset(): bigint {
    return this.#nextOffset
  }

  /** Bytes that were sent and are not acknowledged. */
  get unacknowledgedBytes(): number {
    return this.#unacknowledgedBytes
  }

  /** Acknowledgements wait for this follower. */
  get isAwaited(): boolean {
    return this.leading.core.isAwaited(this.progress)
  }

  /** What comes next is on its way from the disk: `ready` follows. */
  get isReading(): boolean {
    return this.#isReading
  }

  /** What comes next is not in memory. */
  get mustRead(): boolean {
    if (this.#read !== undefined || !this.hasMore) return false
    const { startOffset } = this.leading.recent
    return startOffset === undefined || this.#nextOffset < startOffset
  }

  /** It reads, or has read what it has not been asked for yet. */
  get holdsRead(): boolean {
    return this.#isReading || this.#read !== undefined
  }

  /** What the follower is to be sent now, about `bytesMax` of it; with 0 no records. Undefined: nothing, or `ready` is called when there is something. */
  take(bytesMax: number): OutgoingBatches | undefined {
    const chunk = bytesMax > 0 ? this.#nextChunk(bytesMax) : undefined
    const { highWatermark, logStartOffset } = this.leading.core
    const isNews =
      highWatermark !== this.#sentHighWatermark || logStartOffset !== this.#sentStartOffset
    if (chunk === undefined && !isNews) return undefined
    this.#sentHighWatermark = highWatermark
    this.#sentStartOffset = logStartOffset
    if (chunk !== undefined) this.#noteSent(chunk)
    return { id: this.id, highWatermark, logStartOffset, records: chunk?.batches ?? [] }
  }

  /** Whether `take` would give more batches at once. */
  get hasMore(): boolean {
    return this.#nextOffset < this.leading.core.logEndOffset
  }

  appended(): void {
    if (this.hasMore) this.#events.ready(this)
  }

  offsetsMoved(): void {
    this.#events.offsetsMoved(this)
  }

  ended(): void {
    this.#events.over(this, undefined)
  }

  acknowledged({ logEndOffset, flushedOffset }: Acknowledgement): void {
    let count = 0
    for (const { endOffset, bytes } of this.#unacknowledged) {
      if (endOffset > logEndOffset) break
      this.#unacknowledgedBytes -= bytes
      count++
    }
    if (count > 0) {
      this.#unacknowledged.splice(0, count)
      // It may have been held back by less than what holds it back now.
      this.appended()
    }
    this.leading.acknowledged(this.progress, { logEndOffset, flushedOffset })
  }

  get #isFull(): boolean {
    return this.#unacknowledgedBytes >= (this.isAwaited ? awaitedBytesMax : catchUpBytesMax)
  }

  #nextChunk(bytesMax: number): Chunk | undefined {
    if (this.#read !== undefined) {
      const read = this.#read
      this.#read = undefined
      return read
    }
    if (this.#isReading || this.#isFull || !this.hasMore) return undefined
    const recent = this.leading.recent.from(this.#nextOffset, bytesMax)
    if (recent === undefined) void this.#readNext(bytesMax)
    return recent
  }

  #noteSent({ batches, nextOffset }: Chunk): void {
    let bytes = 0
    for (const batch of batches) bytes += batch.length
    this.#nextOffset = nextOffset
    this.#unacknowledged.push({ endOffset: nextOffset, bytes })
    this.#unacknowledgedBytes += bytes
    this.leading.sent()
  }

  /** Retention or a client has deleted what follows, or else it may be there later. */
  get #whyEmpty(): KafkaError {
    const isDeleted = this.#nextOffset < this.leading.log.logStartOffset
    return isDeleted ? kafkaErrors.OFFSET_OUT_OF_RANGE : kafkaErrors.KAFKA_STORAGE_ERROR
  }

  /** What is neither in memory nor written yet comes when it is written. */
  async #readNext(bytesMax: number): Promise<void> {
    const { log } = this.leading
    const upTo = log.confirmedOffset
    if (this.#nextOffset >= upTo) return
    this.#isReading = true
    const wanted = { offset: this.#nextOffset, maxBytes: Math.min(bytesMax, readBytes), upTo }
    try {
      const bytes = await log.read({ ...wanted, atLeastOne: true, isChecked: true })
      if (bytes.length === 0) this.#events.over(this, this.#whyEmpty)
      else this.#read = { batches: [bytes], nextOffset: endOf(bytes) }
    } catch (error) {
      if (!(error instanceof LogDirectoryError)) throw error
      this.#events.over(this, kafkaErrors.KAFKA_STORAGE_ERROR)
    } finally {
      this.#isReading = false
    }
    if (this.#read !== undefined) this.#events.ready(this)
  }
}

function endOf(bytes: Buffer): bigint {
  let endOffset = -1n
  for (const batch of batchesOf(bytes)) endOffset = lastOffsetAt(batch, 0) + 1n
  return endOffset
}
