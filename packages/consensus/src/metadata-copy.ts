/** This node's copy of the metadata: what the log applies to, and who is kept in line with it. */
import type { Clock } from '@naru/base'
import {
  decodeMetadataRecords,
  emptyImage,
  imageRecords,
  type MetadataImage,
  type MetadataRecord,
  MetadataRecordsWriter,
  replay,
  restoreImage,
  type TimelineEvent,
  timelineEvents,
  writtenLevel,
} from '@naru/metadata'
import type { StateMachine } from './state-machine.ts'

/** Is kept in line with the metadata: one call after the other, in the order of the log. What it cannot do it deals with itself. */
export interface MetadataFollower {
  /** The metadata as it is when it begins. */
  adopt(): Promise<void>
  /** After a change. The image may be ahead of the records. */
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
    return this.#inTurn(this.#appliedIndex, () => follower.adopt())
  }

  /** Resolves when the follower is in line with everything that is applied. */
  followed(): Promise<void> {
    return this.#following
  }

  apply(payload: Buffer, index: bigint): void {
    const records = decodeMetadataRecords(payload)
    const { recorder, onEvents } = this.#options
    // Once for all who want them: to derive what a fence did to thousands of partitions takes milliseconds.
    const events = (recorder ?? onEvents) && timelineEvents(this.image, records)
    for (const record of records) replay(this.image, record)
    this.#appliedIndex = index
    if (events !== undefined) {
      recorder?.apply(index, events)
      onEvents?.(events)
    }
    const follower = this.#follower
    if (follower === undefined) this.#followedIndex = index
    else void this.#inTurn(index, () => follower.follow(records))
    this.#options.onApplied(records)
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
    const follower = this.#follower
    if (follower === undefined) this.#followedIndex = index
    else void this.#inTurn(index, () => follower.followAll())
    this.#options.onApplied(records)
  }

  #inTurn(index: bigint, work: () => Promise<void>): Promise<void> {
    this.#following = this.#following.then(work).then(() => {
      this.#followedIndex = index
    })
    this.#following.catch(this.#options.onFatal)
    return this.#following
  }
}
