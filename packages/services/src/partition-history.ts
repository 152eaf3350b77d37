/** What happened to partitions last, as far back as the log of the metadata goes: the image says how they are, not how it came to that. */
import type { TimelineEvent } from '@naru/metadata'
import type { NodeId, TopicId } from '@naru/model'

export interface LastElection {
  /** -1 when nobody could lead. */
  readonly leader: NodeId
  readonly previous: NodeId
  readonly leaderEpoch: number
  /** Milliseconds since 1970; -1 when not known. */
  readonly timestampMs: number
  readonly cause: string
  /** Records that were acknowledged may be lost. */
  readonly isUnclean: boolean
}

export interface LastIsrChange {
  readonly left: readonly NodeId[]
  readonly joined: readonly NodeId[]
  readonly timestampMs: number
  readonly cause: string
}

export interface PartitionPast {
  readonly election?: LastElection
  readonly isrChange?: LastIsrChange
}

/** Of topics whose partitions change; those that did so first are forgotten first. */
const topicsMax = 10_000

type Changing<T> = { -readonly [K in keyof T]: T[K] }
type Event = TimelineEvent & { readonly topicId: TopicId; readonly partition: number }

export class PartitionHistory {
  readonly #pasts = new Map<TopicId, Map<number, PartitionPast>>()
  /** Of elections that are told right after. */
  #unclean: Event | undefined

  of(topicId: TopicId, partition: number): PartitionPast {
    return this.#pasts.get(topicId)?.get(partition) ?? {}
  }

  /** In the order of the log. */
  note(events: readonly TimelineEvent[]): void {
    for (const event of events) {
      if (event.type === 'topicDeleted') this.#pasts.delete(event.topicId)
      else if (event.type === 'uncleanElection') this.#unclean = event
      else if (event.type === 'leaderElected') this.#noteElection(event)
      else if (event.type === 'isrShrunk') this.#noteIsr(event, { left: event.nodes, joined: [] })
      else if (event.type === 'isrGrown') this.#noteIsr(event, { left: [], joined: event.nodes })
    }
    this.#unclean = undefined
  }

  #noteElection(event: TimelineEvent & { readonly type: 'leaderElected' }): void {
    const { leader, previous, leaderEpoch, timestampMs, cause } = event
    // The end of a reassignment raises the epoch of a leader that stays.
    if (leader === previous) return
    const isUnclean =
      this.#unclean?.topicId === event.topicId && this.#unclean.partition === event.partition
    const past = this.#pastOf(event)
    past.election = { leader, previous, leaderEpoch, timestampMs, cause, isUnclean }
  }

  /** Who left and who joined in one decision is one change. */
  #noteIsr(event: Event, { left, joined }: { left: readonly NodeId[]; joined: readonly NodeId[] }) {
    const { timestampMs, cause, type } = event
    const past = this.#pastOf(event)
    const before = past.isrChange
    const isSame =
      type === 'isrGrown' && before?.timestampMs === timestampMs && before.cause === cause
    past.isrChange = { left: isSame ? before.left : left, joined, timestampMs, cause }
  }

  #pastOf({ topicId, partition }: Event): Changing<PartitionPast> {
    const past = this.#pasts.get(topicId)?.get(partition)
    return past ?? this.#newPast(topicId, partition)
  }

  #newPast(topicId: TopicId, partition: number): Changing<PartitionPast> {
    const past: Changing<PartitionPast> = {}
    const ofTopic = this.#pasts.get(topicId) ?? new Map<number, PartitionPast>()
    this.#pasts.set(topicId, ofTopic.set(partition, past))
    const [oldest] = this.#pasts.keys()
    if (this.#pasts.size > topicsMax) this.#pasts.delete(oldest as TopicId)
    return past
  }
}
