/** What happened in the cluster, for those who watch: from the file of this broker, at the pace of each, with nothing kept for them. */
import { type Clock, FileSystemError } from '@naru/base'
import type { MetadataRuntime, TimelineItem, TimelinePosition } from '@naru/consensus'
import { type Refusal, refusal } from '@naru/metadata'
import { kafkaErrors, type NodeId } from '@naru/model'

export interface EventsRequest {
  /** Of the metadata log; what is below 1 stands for 1. */
  readonly fromIndex: bigint
  /** By the clock of this broker. */
  readonly maxAgeMs: number
  /** Goes on with what happens from now on. */
  readonly isFollowing: boolean
}

export interface EventsPage {
  /** A few hundred events at most. */
  readonly items: readonly TimelineItem[]
  /** Where any voter can go on. */
  readonly nextIndex: bigint
}

export interface EventWatcher {
  /** Ends with a refusal when it cannot go on. */
  watch(request: EventsRequest, signal: AbortSignal): AsyncGenerator<EventsPage | Refusal>
}

export interface EventWatchesOptions {
  readonly nodeId: NodeId
  readonly metadata: Pick<MetadataRuntime, 'timeline' | 'voterIds'>
  readonly clock: Clock
}

/** Each costs a read of the page cache when something happens. */
const watchersMax = 64
const pageEvents = 256

export class EventWatches implements EventWatcher {
  readonly #options: EventWatchesOptions
  #watchers = 0

  constructor(options: EventWatchesOptions) {
    this.#options = options
  }

  async *watch(
    request: EventsRequest,
    signal: AbortSignal,
  ): AsyncGenerator<EventsPage | Refusal, void> {
    if (this.#watchers >= watchersMax) {
      const message = `${watchersMax} others watch already: ask another voter, or later`
      yield refusal(kafkaErrors.THROTTLING_QUOTA_EXCEEDED, message)
      return
    }
    this.#watchers++
    try {
      yield* this.#pages(request, signal)
    } catch (error) {
      if (!(error instanceof FileSystemError)) throw error
      yield refusal(kafkaErrors.KAFKA_STORAGE_ERROR, error.message)
    } finally {
      this.#watchers--
    }
  }

  async *#pages(
    { fromIndex, maxAgeMs, isFollowing }: EventsRequest,
    signal: AbortSignal,
  ): AsyncGenerator<EventsPage | Refusal, void> {
    const { metadata, clock } = this.#options
    const sinceMs = Math.max(0, clock.now() - maxAgeMs)
    let from: TimelinePosition = { index: fromIndex < 1n ? 1n : fromIndex }
    await metadata.timeline?.written()
    while (!signal.aborted) {
      const { timeline } = metadata
      if (timeline === undefined) {
        yield this.#notKept()
        return
      }
      const { version } = timeline
      const { items, next, isEnd } = await timeline.events({ from, limit: pageEvents, sinceMs })
      from = next
      if (items.length > 0) yield { items, nextIndex: next.index }
      if (!isEnd) continue
      if (!isFollowing) return
      await timeline.changed(version, signal)
    }
  }

  #notKept(): Refusal {
    const { nodeId, metadata } = this.#options
    const voters = metadata.voterIds.toSorted((a, b) => a - b).join(', ')
    const message = `Broker ${nodeId} has no vote in the quorum and keeps no events: ask one of ${voters}`
    return refusal(kafkaErrors.NOT_CONTROLLER, message)
  }
}
