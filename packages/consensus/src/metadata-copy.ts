/** This node's copy of the metadata: what the log applies to, and who is kept in line with it. */
import type { Clock } from '@naru/base'
import {
  decodeMetadataRecords,
  emptyImage,
  imageRecords,
  type MetadataImage,
  type MetadataRecord,
  MetadataRecordsWriter,
  replayTelling,
  restoreImage,
  type TimelineEvent,
  writtenLevel,
} from '@naru/metadata'
import type { StateMachine } from './state-machine.ts'

/** Is kept in line with the metadata: one call after the other, in the order of the log. What it cannot do it deals with itself. */
export interface MetadataFollower {
  /** The metadata as it is when it begins. */
  adopt(): Promise<void>
  /** After changes, of one entry or of several. The image may be ahead of the records. */
  follow(records: readonly MetadataRecord[]): Promise<void>
  /** After a snapshot has taken the place of everything. */
  followAll(): Promise<void>
}

/** Keeps what happened, entry by entry; see {@link Timeline}. */
export interface EventRecorder {
  apply(index: bigint, events: readonly TimelineEvent[]): void
  restored(index: bigint): void
  passed(index: bigint): void
}

/** Entries that the follower has not heard of, with the index of the last. */
interface Unfollowed {
  readonly records: (readonly MetadataRecord[])[]
  index: bigint
}

/** Records of a snapshot that are encoded in one turn. */
const recordsPerTurn = 2_000

export interface MetadataCopyOptions {
  readonly clock: Clock
  readonly recorder?: EventRecorder | undefined
  /** What happened, before `onApplied` of the same records; a snapshot does not tell. */
  readonly onEvents?: ((events: readonly TimelineEvent[]) => void) | undefined
  readonly onApplied: (records: readonly MetadataRecord[]) => void
  /** The follower failed, which it must not. */
  readonly onFatal: (error: unknown) => void
}

export class MetadataCopy implements StateMachine {
  readonly image: MetadataImage = emptyImage()
  readonly #options: MetadataCopyOptions
  #follower: MetadataFollower | undefined
  #following: Promise<void> = Promise.resolve()
  #waiting: Unfollowed | undefined
  #appliedIndex = 0n
  #followedIndex = 0n

  constructor(options: MetadataCopyOptions) {
    this.#options = options
  }

  /** Up to where the follower is in line. */
  get followedIndex(): bigint {
    return this.#followedIndex
  }

  /** Resolves when `follower` has taken over what there is. */
  follow(follower: MetadataFollower): Promise<void> {
    this.#follower = follower
    return this.#inTurn(async () => {
      const index = this.#appliedIndex
      await follower.adopt()
      return index
    })
  }

  /** Resolves when the follower is in line with everything that is applied. */
  followed(): Promise<void> {
    return this.#following
  }

  apply(payload: Buffer, index: bigint): void {
    const records = decodeMetadataRecords(payload)
    const { recorder, onEvents, onApplied } = this.#options
    const events = replayTelling(this.image, records)
    this.#appliedIndex = index
    recorder?.apply(index, events)
    onEvents?.(events)
    if (this.#follower === undefined) this.#followedIndex = index
    else this.#toFollow(this.#follower, records, index)
    onApplied(records)
  }

  /** The records are those of now; to encode many of them takes a while, and others have their turn in between. */
  async snapshot(index: bigint): Promise<Buffer> {
    this.#options.recorder?.passed(index)
    const level = writtenLevel(this.image, [])
    const records = imageRecords(this.image)
    const writer = new MetadataRecordsWriter(records.length, level)
    for (let from = 0; from < records.length; from += recordsPerTurn) {
      if (from > 0) await new Promise<void>((resolve) => this.#options.clock.afterTurn(resolve))
      for (const record of records.slice(from, from + recordsPerTurn)) writer.add(record)
    }
    return writer.finish()
  }

  restore(state: Buffer, index: bigint): void {
    const records = decodeMetadataRecords(state)
    restoreImage(this.image, records)
    this.#options.recorder?.restored(index)
    this.#appliedIndex = index
    // What comes now is for after the snapshot.
    this.#waiting = undefined
    const follower = this.#follower
    if (follower === undefined) this.#followedIndex = index
    else void this.#inTurn(() => follower.followAll().then(() => index))
    this.#options.onApplied(records)
  }

  /** What comes while the follower is at work it hears of at once: a start applies again what happened to a partition in weeks. */
  #toFollow(follower: MetadataFollower, records: readonly MetadataRecord[], index: bigint): void {
    if (this.#waiting !== undefined) {
      this.#waiting.records.push(records)
      this.#waiting.index = index
      return
    }
    const waiting: Unfollowed = { records: [records], index }
    this.#waiting = waiting
    void this.#inTurn(async () => {
      if (this.#waiting === waiting) this.#waiting = undefined
      await follower.follow(waiting.records.flat())
      return waiting.index
    })
  }

  /** `work` resolves with the index up to which the follower is in line then. */
  #inTurn(work: () => Promise<bigint>): Promise<void> {
    this.#following = this.#following.then(async () => {
      this.#followedIndex = await work()
    })
    this.#following.catch(this.#options.onFatal)
    return this.#following
  }
}
