import { type ClusterEvent, type EventsMessage, eventsOf } from './cluster-events.ts'

/** How far a reader of events has come, over several brokers: nothing is told twice, though each begins an entry from its start. */
export class EventProgress {
  #nextIndex = 0n
  /** The events of the last entry that were told: it may have more. */
  #last = { index: -1n, count: 0 }
  /** How many of them the broker of now has told, again or for the first time. */
  #passed = 0

  /** Where the next broker is to begin. */
  get nextIndex(): bigint {
    return this.#nextIndex
  }

  /** Another broker is asked. */
  begin(): void {
    this.#passed = 0
  }

  *news(message: EventsMessage): Generator<ClusterEvent> {
    for (const event of eventsOf(message)) {
      const isOfLast = event.index === this.#last.index
      if (isOfLast && this.#passed < this.#last.count) {
        this.#passed++
        continue
      }
      this.#last = { index: event.index, count: isOfLast ? this.#last.count + 1 : 1 }
      this.#passed = this.#last.count
      yield event
    }
    this.#nextIndex = BigInt(message.nextIndex)
  }
}
