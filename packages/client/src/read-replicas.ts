/** From which replica a consumer reads each partition: from the leader, or from where that has sent it (KIP-392). */
import type { Clock } from '@naru/base'

/** As Kafka's `metadata.max.age.ms`: then the leader is asked again whether there is a nearer one. */
const preferredMsMax = 300_000
/** After a failure at a replica: its leader may not have heard of that yet, and would send the consumer there again. */
const shyMs = 5_000

export class ReadReplicas {
  readonly #clock: Clock
  readonly #maxAgeMs: number
  readonly #preferred = new Map<number, { readonly nodeId: number; readonly untilMs: number }>()
  /** Partitions that stay at their leader, and until when. */
  readonly #shy = new Map<number, number>()
  #isDoubtful = false

  constructor(clock: Clock, maxAgeMs = preferredMsMax) {
    this.#clock = clock
    this.#maxAgeMs = maxAgeMs
  }

  /** Node id of the replica; undefined for the leader. */
  of(partition: number): number | undefined {
    const found = this.#preferred.get(partition)
    if (found === undefined || this.#clock.monotonic() < found.untilMs) return found?.nodeId
    this.#preferred.delete(partition)
    return undefined
  }

  /** Whether the leader is to know where the consumer is. */
  tellsRack(partition: number): boolean {
    const untilMs = this.#shy.get(partition)
    if (untilMs === undefined) return true
    if (this.#clock.monotonic() < untilMs) return false
    this.#shy.delete(partition)
    return true
  }

  /** A leader names who is nearer. */
  prefer(partition: number, nodeId: number): void {
    this.#preferred.set(partition, { nodeId, untilMs: this.#clock.monotonic() + this.#maxAgeMs })
  }

  /** The replica cannot be read from: back to the leader. */
  leave(partition: number): void {
    this.#preferred.delete(partition)
    this.#shy.set(partition, this.#clock.monotonic() + shyMs)
    this.#isDoubtful = true
  }

  /** Whether what is known of the brokers may be old, since a replica was left; asked once for each time. */
  takeDoubt(): boolean {
    const isDoubtful = this.#isDoubtful
    this.#isDoubtful = false
    return isDoubtful
  }
}
