/** How many bytes may pass at a rate: a token bucket that may be overdrawn, since what passes are whole batches. */

/** What is not used can be made up for as long. */
const burstMs = 1_000
/** Nothing passes before this much is there: whoever waits is woken ten times a second, not for each batch. */
const turnMs = 100
/** A batch that is larger than the quota of this time is paid with what this time gives. As long as Kafka's quotas look back by default. */
const windowMs = 11_000

export class ByteQuota {
  /** Bytes a second; infinite without a limit. */
  #rate = Number.POSITIVE_INFINITY
  /** Bytes; negative when more passed than was there. */
  #level = 0
  #atMs = 0

  setRate(rate: number, nowMs: number): void {
    const wasLimited = this.#isLimited
    this.#fill(nowMs)
    // With none at all a replica would never come up.
    this.#rate = Math.max(1, rate)
    this.#atMs = nowMs
    if (!this.#isLimited) return
    if (!wasLimited) this.#level = this.#of(burstMs)
    this.#level = this.#bounded(this.#level)
  }

  /** Bytes that may pass now; 0 while it is used up. */
  available(nowMs: number): number {
    if (!this.#isLimited) return Number.POSITIVE_INFINITY
    this.#fill(nowMs)
    return this.#level >= this.#of(turnMs) ? Math.max(1, Math.floor(this.#level)) : 0
  }

  /** What the rate gives from one turn of those who wait to the next. */
  get turnBytes(): number {
    return Math.floor(this.#of(turnMs))
  }

  /** When something is available again. */
  waitMs(nowMs: number): number {
    if (!this.#isLimited) return 0
    this.#fill(nowMs)
    const missing = this.#of(turnMs) - this.#level
    return missing <= 0 ? 0 : Math.ceil((missing / this.#rate) * 1_000)
  }

  /** `bytes` pass; fewer than none are given back. */
  spend(bytes: number, nowMs: number): void {
    if (!this.#isLimited) return
    this.#fill(nowMs)
    this.#level = this.#bounded(this.#level - bytes)
  }

  get #isLimited(): boolean {
    return this.#rate !== Number.POSITIVE_INFINITY
  }

  #fill(nowMs: number): void {
    if (this.#isLimited) this.#level = this.#bounded(this.#level + this.#of(nowMs - this.#atMs))
    this.#atMs = nowMs
  }

  #bounded(level: number): number {
    return Math.min(this.#of(burstMs), Math.max(-this.#of(windowMs), level))
  }

  /** Bytes that the rate gives in a time. */
  #of(ms: number): number {
    return (this.#rate * ms) / 1_000
  }
}
