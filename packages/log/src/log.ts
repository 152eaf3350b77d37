/**
 * The log of one partition: an ordered list of segments on one log directory. Appends are noted in memory at once and written
 * by the directory's next round; what may be acknowledged is `confirmedOffset`. Who decides whether a batch is appended, and
 * what a reader may see, is not here: this is bytes and offsets.
 */
import { assert } from '@naru/base'
import { type BatchHeader, baseOffsetAt, batchSizeAt } from '@naru/records'
import type { FlushMode, LogEnd } from './checkpoint.ts'
import { LogDirectoryError } from './errors.ts'
import type { PlannedEntry } from './journal-round.ts'
import { type ReadRequest, readBatches } from './log-reader.ts'
import type { LogStorage } from './log-storage.ts'
import { Segment } from './segment.ts'

/** Of batches that wait together: a round takes whole runs. */
const runBytesMax = 4 << 20

export interface LogConfig {
  readonly segmentBytes: number
  readonly segmentMs: number
  readonly segmentIndexBytes: number
  readonly indexIntervalBytes: number
  readonly retentionMs: number
  readonly retentionBytes: number
  readonly fileDeleteDelayMs: number
}

/** Batches that lie side by side in one segment, waiting for the next round; or the place where the log is to end. */
export interface LogRun extends PlannedEntry {
  readonly segment: Segment
}

interface GrowingRun extends LogRun {
  nextOffset: bigint
  lengthBytes: number
  buffers: Buffer[]
}

/** State that others derive from the log: the log stores it beside the segments and replays what came after. */
export interface DerivedState {
  /** Starts from what was stored at `offset`; false when the stored bytes are unusable. `producers` undefined: from nothing. */
  restore(stored: {
    producers: Buffer | undefined
    epochs: Buffer | undefined
    offset: bigint
  }): boolean
  replay(header: BatchHeader): void
  /** Forgets everything. */
  reset(): void
  /** Nothing of the log lies at or above `endOffset`: forgets what is said to begin there. */
  truncateEnd(endOffset: bigint): void
  capture(): { producers: Buffer; epochs: Buffer }
}

export interface LogOptions {
  readonly name: string
  readonly path: string
  /** 16 bytes, made with the directory: names this incarnation in the journal. */
  readonly logId: Buffer
  readonly flushMode: FlushMode
  readonly config: LogConfig
  readonly logStartOffset: bigint
  readonly end: LogEnd
  /** Base offsets of all segments, ascending; the last one holds the end. */
  readonly segments: readonly { baseOffset: bigint; sizeBytes: number }[]
  readonly isDamaged: boolean
  readonly storage: LogStorage
  /** Called when a batch begins to wait for a round. */
  readonly onPending: (log: Log) => void
}

export class Log {
  readonly name: string
  readonly path: string
  readonly storage: LogStorage
  config: LogConfig
  flushMode: FlushMode
  /** Its end was lost, or may have been: what is left is good. Stays until the owner has told of it. */
  isDamaged: boolean
  readonly #onPending: (log: Log) => void
  #logId: Buffer
  #segments: Segment[]
  #pending: GrowingRun[] = []
  #logStartOffset: bigint
  #logEndOffset: bigint
  #written: LogEnd
  #derived: DerivedState | undefined
  #trustedFromOffset: bigint
  #truncationsUnderWay = 0
  #cuts = 0
  #corruption: LogDirectoryError | undefined
  /** What the stored derived state stands for. */
  derivedOffset = -1n
  /** Set by the owner: the confirmed offset moved. */
  onConfirmed: (() => void) | undefined
  /** Set by the owner: something was found not to be what was written. */
  onCorrupt: (() => void) | undefined
  /** Rounds leave this log's appends waiting while its flush mode changes. */
  isHeld = false

  constructor(options: LogOptions) {
    this.name = options.name
    this.path = options.path
    this.#logId = options.logId
    this.storage = options.storage
    this.config = options.config
    this.flushMode = options.flushMode
    this.isDamaged = options.isDamaged
    this.#onPending = options.onPending
    this.#logStartOffset = options.logStartOffset
    this.#logEndOffset = options.end.endOffset
    this.#written = options.end
    this.#trustedFromOffset = options.end.endOffset
    this.#segments = options.segments.map(
      ({ baseOffset, sizeBytes }) =>
        new Segment({ directory: options.path, baseOffset, sizeBytes, isNew: false }),
    )
    // Where the log ended in a fresh segment, nothing has made its file yet.
    const { segmentBaseOffset } = options.end
    if (this.#segments.at(-1)?.baseOffset !== segmentBaseOffset) {
      this.#segments.push(this.#newSegment(segmentBaseOffset))
    }
  }

  /** Names this incarnation in the journal: another one when the log is begun anew. */
  get logId(): Buffer {
    return this.#logId
  }

  /** Batches below it were written by an earlier process: their checksums are verified before they are served. */
  get trustedFromOffset(): bigint {
    return this.#trustedFromOffset
  }

  /** What was found not to be what was written, when that was first seen by this process. */
  get corruption(): LogDirectoryError | undefined {
    return this.#corruption
  }

  /** Reading has failed: if it was for what lies in the files, whoever answers for the log is told, once. */
  noteFailure(error: unknown): void {
    const isCorruption = error instanceof LogDirectoryError && error.code === 'LOG_CORRUPT'
    if (!isCorruption || this.#corruption !== undefined) return
    this.#corruption = error
    this.onCorrupt?.()
  }

  /** From the call to the end of a truncation nothing is appended, and readers find nothing. */
  get isTruncating(): boolean {
    return this.#truncationsUnderWay > 0
  }

  /** How often the end has been cut: bytes that were read meanwhile may be of any batch. */
  get cuts(): number {
    return this.#cuts
  }

  /** First offset that may be read. */
  get logStartOffset(): bigint {
    return this.#logStartOffset
  }

  /** Offset of the next record to append. */
  get logEndOffset(): bigint {
    return this.#logEndOffset
  }

  /** End of what may be acknowledged under the log's flush mode: durable, or at least written. */
  get confirmedOffset(): bigint {
    return this.#written.endOffset
  }

  /** Where the written part ends on disk. */
  get writtenEnd(): LogEnd {
    return this.#written
  }

  get segments(): readonly Segment[] {
    return this.#segments
  }

  get sizeBytes(): number {
    let bytes = 0
    for (const segment of this.#segments) bytes += segment.sizeBytes
    return bytes
  }

  get isLoaded(): boolean {
    return this.#derived !== undefined
  }

  /** Something waits for a round. */
  get isPending(): boolean {
    return this.#pending.length > 0
  }

  /** Attaches the derived state once the loader has brought it to the end of the log. */
  attach(derived: DerivedState): void {
    this.#derived = derived
  }

  /** What is derived does not fit the log any more. */
  detach(): void {
    this.#derived = undefined
  }

  get derived(): DerivedState | undefined {
    return this.#derived
  }

  /** Appends one validated batch whose offsets continue the log. `batch` must not change until it is confirmed. */
  append(batch: Buffer, header: BatchHeader): void {
    assert(this.#derived !== undefined, `Log ${this.name} is not loaded`)
    assert(this.#truncationsUnderWay === 0, `Log ${this.name} is being truncated`)
    assert(
      header.baseOffset === this.#logEndOffset,
      `Batch at ${header.baseOffset} does not continue ${this.name} at ${this.#logEndOffset}`,
    )
    const segment = this.#segmentFor(header)
    this.#extendRun(batch, header, segment)
    segment.append(header, this.config.indexIntervalBytes)
    this.#logEndOffset = header.lastOffset + 1n
    this.#onPending(this)
  }

  /** Batches from `offset` on; see {@link readBatches}. */
  read(request: ReadRequest): Promise<Buffer> {
    return readBatches(this, request)
  }

  /** Takes what waits for a round, at least one run and then up to `bytesMax`. */
  takePending(bytesMax: number): LogRun[] {
    const taken: GrowingRun[] = []
    let bytes = 0
    while (this.#pending.length > 0) {
      const run = this.#pending[0] as GrowingRun
      if (taken.length > 0 && bytes + run.lengthBytes > bytesMax) break
      taken.push(run)
      this.#pending.shift()
      bytes += run.lengthBytes
    }
    return taken
  }

  /** The round of `run` is complete, and so are all before it. */
  confirm(run: LogRun): void {
    if (run.kind === 'truncate') {
      this.cut({ ...run, endOffset: run.nextOffset })
      return
    }
    assert(run.baseOffset === this.#written.endOffset, `Round of ${this.name} leaves a gap`)
    this.#written = {
      endOffset: run.nextOffset,
      segmentBaseOffset: run.segmentBaseOffset,
      position: run.position + run.lengthBytes,
    }
  }

  /** Bytes of `segment` that are written and may be read. */
  readableBytes(segment: Segment): number {
    const { segmentBaseOffset, position } = this.#written
    if (segment.baseOffset < segmentBaseOffset) return segment.sizeBytes
    return segment.baseOffset === segmentBaseOffset ? position : 0
  }

  /** The segment that holds `offset`: the last one that begins at or below it. */
  segmentOf(offset: bigint): Segment {
    let low = 0
    let high = this.#segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#segments[middle] as Segment).baseOffset <= offset) low = middle
      else high = middle - 1
    }
    return this.#segments[low] as Segment
  }

  nextSegment(segment: Segment): Segment | undefined {
    return this.#segments[this.#segments.indexOf(segment) + 1]
  }

  get activeSegment(): Segment {
    return this.#segments.at(-1) as Segment
  }

  /** Closes the active segment so that retention may take it. Does nothing when it is empty, or about to be cut. */
  roll(): void {
    const sealed = this.activeSegment
    if (sealed.sizeBytes === 0 || this.isTruncating) return
    assert(this.#derived !== undefined, `Log ${this.name} is not loaded`)
    sealed.seal()
    this.storage.persistDerived(this, sealed, this.#derived.capture())
    this.#segments.push(this.#newSegment(this.#logEndOffset))
    // With nothing on its way the log now ends at the start of the new segment: the old one may go.
    if (this.#written.endOffset !== this.#logEndOffset) return
    const endOffset = this.#logEndOffset
    this.#written = { endOffset, segmentBaseOffset: endOffset, position: 0 }
  }

  /** Moves the start of the log up; the caller makes it durable with a checkpoint before anyone relies on it. */
  moveStart(offset: bigint): void {
    assert(offset <= this.#logEndOffset, `Log start ${offset} is beyond the end of ${this.name}`)
    if (offset > this.#logStartOffset) this.#logStartOffset = offset
  }

  /**
   * Takes out the oldest segments that lie wholly below the start of the log and below `checkpointedSegment`, the base offset of
   * the segment that holds the checkpointed end. Their files are the caller's to remove.
   */
  dropSegmentsBelowStart(checkpointedSegment: bigint): Segment[] {
    let count = 0
    while (count + 1 < this.#segments.length) {
      const next = this.#segments[count + 1] as Segment
      if (next.baseOffset > this.#logStartOffset || next.baseOffset > checkpointedSegment) break
      count++
    }
    return this.#segments.splice(0, count)
  }

  beginTruncation(): void {
    this.#truncationsUnderWay++
  }

  endTruncation(): void {
    this.#truncationsUnderWay--
  }

  /** Forgets the batches above `endOffset` that no round has taken. Those below are still written. */
  dropPending(endOffset: bigint): void {
    for (let run = this.#pending.at(-1); run?.kind === 'append'; run = this.#pending.at(-1)) {
      while (run.nextOffset > endOffset && run.buffers.length > 0) {
        const batch = run.buffers.pop() as Buffer
        run.nextOffset = baseOffsetAt(batch, 0)
        run.lengthBytes -= batch.length
      }
      if (run.buffers.length > 0) return
      this.#pending.pop()
    }
  }

  /** Lets the next round say that the log ends here from now on. Nothing else may be on its way. */
  planTruncation({ endOffset, segmentBaseOffset, position }: LogEnd): void {
    assert(!this.isPending, `Batches of ${this.name} wait for a round while it is cut`)
    this.#pending.push({
      kind: 'truncate',
      logId: this.#logId,
      segment: this.segmentOf(segmentBaseOffset),
      baseOffset: endOffset,
      nextOffset: endOffset,
      segmentBaseOffset,
      position,
      lengthBytes: 0,
      leaderEpoch: -1,
      buffers: [],
    })
    this.#onPending(this)
  }

  /** The log ends at `end` from now on; its files are the caller's to cut. The last segment is a new object: nobody's notes of the old one count. */
  cut(end: LogEnd): void {
    const { endOffset, segmentBaseOffset, position } = end
    assert(endOffset <= this.#logEndOffset, `${this.name} ends below ${endOffset}`)
    this.#cuts++
    this.#segments = this.#segments.filter((segment) => segment.baseOffset < segmentBaseOffset)
    const last = { directory: this.path, baseOffset: segmentBaseOffset, sizeBytes: position }
    this.#segments.push(new Segment({ ...last, isNew: false }))
    this.#written = { endOffset, segmentBaseOffset, position }
    this.#logEndOffset = endOffset
    if (this.#trustedFromOffset > endOffset) this.#trustedFromOffset = endOffset
    if (this.#logStartOffset > endOffset) this.#logStartOffset = endOffset
  }

  /** An empty log that begins at `offset`, another incarnation; the files are there already. */
  beginAnew(logId: Buffer, offset: bigint): void {
    this.#cuts++
    this.#logId = logId
    this.#segments = [this.#newSegment(offset)]
    this.#written = { endOffset: offset, segmentBaseOffset: offset, position: 0 }
    this.#logEndOffset = offset
    this.#logStartOffset = offset
    this.#trustedFromOffset = offset
    this.derivedOffset = offset
    this.#corruption = undefined
    this.#derived?.reset()
  }

  #segmentFor(header: BatchHeader): Segment {
    const active = this.activeSegment
    if (active.sizeBytes === 0 && active.baseOffset === header.baseOffset) return active
    if (!this.#isFull(active, header)) return active
    this.roll()
    return this.activeSegment
  }

  /**
   * `segment.ms` counts in the time of the records, as Kafka has it: the clock would give each old record that is written now, by a
   * mirror or an import, a segment of its own. Records without a time (-1) fill a segment by size.
   */
  #isFull(active: Segment, header: BatchHeader): boolean {
    const { segmentBytes, segmentMs, segmentIndexBytes } = this.config
    const { firstTimestamp = -1n } = active
    const hasLasted =
      firstTimestamp >= 0n && Number(header.maxTimestamp - firstTimestamp) > segmentMs
    return (
      active.sizeBytes + header.sizeBytes > segmentBytes ||
      !active.canHold(header.lastOffset, header.sizeBytes) ||
      (active.indexes?.offset.entries ?? 0) * 8 >= segmentIndexBytes ||
      hasLasted
    )
  }

  #extendRun(batch: Buffer, header: BatchHeader, segment: Segment): void {
    assert(
      baseOffsetAt(batch, 0) === header.baseOffset && batchSizeAt(batch, 0) === batch.length,
      'Batch and header differ',
    )
    const last = this.#pending.at(-1)
    const isContinued = last?.segment === segment && last.leaderEpoch === header.leaderEpoch
    if (last !== undefined && isContinued && last.lengthBytes + batch.length <= runBytesMax) {
      last.buffers.push(batch)
      last.lengthBytes += batch.length
      last.nextOffset = header.lastOffset + 1n
      return
    }
    this.#pending.push({
      kind: 'append',
      logId: this.#logId,
      segment,
      baseOffset: header.baseOffset,
      nextOffset: header.lastOffset + 1n,
      segmentBaseOffset: segment.baseOffset,
      position: segment.sizeBytes,
      lengthBytes: batch.length,
      leaderEpoch: header.leaderEpoch,
      buffers: [batch],
    })
  }

  #newSegment(baseOffset: bigint): Segment {
    return new Segment({ directory: this.path, baseOffset, sizeBytes: 0, isNew: true })
  }
}
