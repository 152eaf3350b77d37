import { assert } from '@naru/base'
import { type BatchHeader, noTimestamp } from '@naru/records'
import { segmentFileName } from './file-names.ts'
import { OffsetIndex } from './offset-index.ts'
import { join } from './paths.ts'
import { TimeIndex } from './time-index.ts'

/** The largest position an int32 index entry can name: no segment grows beyond it. */
export const segmentBytesLimit = 2 ** 31 - 1
const rememberedPositions = 16

/** One segment in memory: where it lies, how far it reaches, and its indexes when they are loaded. No I/O happens here. */
export class Segment {
  readonly baseOffset: bigint
  readonly path: string
  /** Position behind the last appended batch; the file may be behind while a write is in flight. */
  sizeBytes: number
  /** Undefined while unloaded: idle segments keep no index in memory. */
  indexes: { offset: OffsetIndex; time: TimeIndex } | undefined
  maxTimestamp = noTimestamp
  /** Last offset of the batch that holds `maxTimestamp`. */
  maxTimestampOffset: bigint
  /** Timestamp of the first batch: what `segment.ms` counts from. */
  firstTimestamp: bigint | undefined
  #bytesSinceIndexEntry = 0
  /** Where recent reads ended, by the offset that follows: a consumer's next fetch needs no look-up. */
  readonly #positions = new Map<bigint, number>()

  constructor(options: {
    directory: string
    baseOffset: bigint
    sizeBytes: number
    isNew: boolean
  }) {
    this.baseOffset = options.baseOffset
    this.path = join(options.directory, segmentFileName(options.baseOffset, '.log'))
    this.sizeBytes = options.sizeBytes
    this.maxTimestampOffset = options.baseOffset
    if (options.isNew) this.indexes = { offset: new OffsetIndex(), time: new TimeIndex() }
  }

  /** Whether a batch that ends at `lastOffset` still fits the four bytes of a relative offset and position. */
  canHold(lastOffset: bigint, bytes: number): boolean {
    return (
      lastOffset - this.baseOffset <= 0x7fffffffn && this.sizeBytes + bytes <= segmentBytesLimit
    )
  }

  /** Notes a batch that goes to `sizeBytes`; the caller writes its bytes there. */
  append(header: BatchHeader, indexIntervalBytes: number): void {
    const { indexes } = this
    assert(indexes !== undefined, `Segment ${this.path} has no indexes loaded`)
    if (this.firstTimestamp === undefined) this.firstTimestamp = header.maxTimestamp
    if (header.maxTimestamp > this.maxTimestamp) {
      this.maxTimestamp = header.maxTimestamp
      this.maxTimestampOffset = header.lastOffset
    }
    if (this.#bytesSinceIndexEntry > indexIntervalBytes) {
      indexes.offset.append(Number(header.lastOffset - this.baseOffset), this.sizeBytes)
      this.#appendTime()
      this.#bytesSinceIndexEntry = 0
    }
    this.#bytesSinceIndexEntry += header.sizeBytes
    this.sizeBytes += header.sizeBytes
  }

  /** The last entry of the time index names the segment's largest timestamp: retention reads it from there. */
  seal(): void {
    if (this.maxTimestamp !== noTimestamp) this.#appendTime()
  }

  /** The position of the batch that begins at `offset`, when a read ended there lately. */
  positionOfNext(offset: bigint): number | undefined {
    return this.#positions.get(offset)
  }

  notePositionOfNext(offset: bigint, position: number): void {
    this.#positions.delete(offset)
    this.#positions.set(offset, position)
    if (this.#positions.size <= rememberedPositions) return
    for (const oldest of this.#positions.keys()) {
      this.#positions.delete(oldest)
      return
    }
  }

  #appendTime(): void {
    this.indexes?.time.append(this.maxTimestamp, Number(this.maxTimestampOffset - this.baseOffset))
  }
}
