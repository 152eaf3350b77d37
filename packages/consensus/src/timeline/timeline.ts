/**
 * What happened in the cluster, kept by each voter: the events of the entries that it applies, in a file beside the log. It follows
 * from the log and nothing depends on it: it is written later, in batches, without a sync, and its disk errors end in a gap.
 */
import { type Clock, type FileSystem, FileSystemError, type Logger } from '@naru/base'
import type { TimelineEvent } from '@naru/metadata'
import { defaultTimelineLimits, EventSegments, type TimelineLimits } from './event-segments.ts'
import { PendingItems } from './pending-items.ts'
import type { TimelineGap, TimelineItem, TimelinePage, TimelinePosition } from './timeline-item.ts'
import { type PageRequest, readPart } from './timeline-reader.ts'

export interface TimelineFiles {
  readonly fileSystem: FileSystem
  /** Of its own; made with the first event. */
  readonly directory: string
  readonly limits?: TimelineLimits
}

export interface TimelineOptions extends TimelineFiles {
  readonly clock: Clock
  readonly logger: Logger
  /** Only a voter writes. */
  readonly isVoter: () => boolean
  /** Something that must not happen has happened. */
  readonly onBug: (error: unknown) => void
}

/** Events wait this long for others, off the path of the commands that brought them. */
const delayMs = 100
/** After an error of the disk nothing is tried for this long. */
const retryMs = 60_000

export class Timeline {
  readonly #options: TimelineOptions
  readonly #pending = new PendingItems()
  readonly #wakes = new Set<() => void>()
  #segments: EventSegments | undefined
  /** What is in the directory is of another history. */
  #isStale = false
  /** Up to where entries have been seen, in this process or before it. */
  #through = 0n
  #version = 0
  #failedMs: number | undefined
  #isScheduled = false
  #writing: Promise<void> = Promise.resolve()

  constructor(options: TimelineOptions) {
    this.#options = options
  }

  /** Finds what is there, before the first entry is applied. An empty log begins a history of its own. */
  open(log: { readonly isEmpty: boolean }): Promise<void> {
    this.#isStale = log.isEmpty
    return this.#attempt(async () => {
      this.#segments = await this.#opened()
      this.#through = this.#segments.through
    })
  }

  /** What the entry at `index` did. */
  apply(index: bigint, events: readonly TimelineEvent[]): void {
    // A start applies thousands of entries again: what they did is in the file.
    if (index <= this.#through) return
    this.#through = index
    if (!this.#options.isVoter()) {
      this.#pending.miss(index, index, 'observer')
      this.#wake()
      return
    }
    if (events.length === 0) return
    if (this.#isPaused) {
      this.#pending.miss(index, index, 'disk')
      this.#wake()
      return
    }
    this.#pending.add({ kind: 'events', index, isLast: true, events })
    this.#schedule()
  }

  /** A snapshot stands for the entries up to `index`. */
  restored(index: bigint): void {
    if (index <= this.#through) return
    this.#pending.miss(this.#through + 1n, index, 'snapshot')
    this.#through = index
    this.#wake()
  }

  /** Entries up to `index` may go from the log: a later start must know that their events were seen. */
  passed(index: bigint): void {
    if (index < this.#through || !this.#options.isVoter() || this.#isPaused) return
    this.#through = index
    this.#pending.mark(index)
    this.#schedule()
  }

  /** Rejects with FileSystemError when the file cannot be read. */
  async events(request: PageRequest): Promise<TimelinePage> {
    const { limit } = request
    const items: TimelineItem[] = []
    let { from } = request
    for (let count = 0; count < limit; ) {
      const part =
        this.#segments === undefined
          ? undefined
          : await readPart(this.#options.fileSystem, this.#segments, {
              ...request,
              from,
              limit: limit - count,
            })
      if (part === undefined) return this.#endPage(items, from)
      items.push(...part.items)
      from = part.next
      for (const item of part.items) count += item.kind === 'events' ? item.events.length : 1
    }
    return { items, next: from, isEnd: false }
  }

  /** Resolves when what is applied can be read. */
  written(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write())
    return this.#writing
  }

  /** Another one when there may be more to read. */
  get version(): number {
    return this.#version
  }

  /** Resolves when the version is another one than `version`, or it is aborted. */
  changed(version: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#wakes.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#wakes.add(wake)
      signal.addEventListener('abort', wake)
      if (signal.aborted || version !== this.#version) wake()
    })
  }

  /** Nothing is applied any more; `index` was the last. */
  async close(index: bigint): Promise<void> {
    this.passed(index)
    await this.written()
    await this.#attempt(async () => this.#segments?.[Symbol.asyncDispose]())
  }

  get #isPaused(): boolean {
    const { clock } = this.#options
    return this.#failedMs !== undefined && clock.monotonic() < this.#failedMs + retryMs
  }

  /** With what is missing and not in the file yet. */
  #endPage(items: TimelineItem[], from: TimelinePosition): TimelinePage {
    const { gap, isEmpty } = this.#pending
    if (gap === undefined || !isEmpty || gap.index < from.index) {
      return { items, next: from, isEnd: true }
    }
    const fromIndex = gap.fromIndex < from.index ? from.index : gap.fromIndex
    const missing: TimelineGap = { ...gap, fromIndex }
    return { items: [...items, missing], next: { ...from, index: gap.index + 1n }, isEnd: true }
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#options.clock.setTimer(delayMs, () => {
      this.#isScheduled = false
      void this.written()
    })
  }

  #write(): Promise<void> {
    return this.#attempt(async () => {
      while (!this.#pending.isEmpty) {
        this.#segments ??= await this.#opened()
        const nowMs = this.#options.clock.now()
        const batch = this.#pending.next(this.#segments.through, nowMs)
        if (batch === undefined) return
        await this.#segments.append(batch, nowMs)
        this.#pending.written()
        if (this.#failedMs !== undefined) this.#options.logger.info('timeline-resumed')
        this.#failedMs = undefined
        this.#wake()
      }
    })
  }

  async #opened(): Promise<EventSegments> {
    const { fileSystem, directory, limits = defaultTimelineLimits } = this.#options
    if (this.#isStale) await fileSystem.removeDirectory(directory)
    this.#isStale = false
    return EventSegments.open(fileSystem, directory, limits)
  }

  /** Never rejects: the metadata goes on without its timeline. */
  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (error instanceof FileSystemError) this.#fail(error)
      else this.#options.onBug(error)
    }
  }

  #fail(error: FileSystemError): void {
    const { clock, logger, directory } = this.#options
    this.#pending.giveUp()
    if (this.#failedMs === undefined) {
      logger.warn('timeline-incomplete', { directory, reason: error.message })
    }
    this.#failedMs = clock.monotonic()
    this.#wake()
  }

  #wake(): void {
    this.#version++
    for (const wake of [...this.#wakes]) wake()
  }
}
