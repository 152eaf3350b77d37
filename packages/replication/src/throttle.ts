/** A quota that several replicas share: each is granted a part in its turn, uses it, and says what came of it. */
import type { Clock, Timer } from '@naru/base'
import { ByteQuota } from './byte-quota.ts'

/** One replica takes no more at once: others have their turn. */
const grantBytesMin = 1 << 20
/** Nor more than this of a high rate, where less would be used up while the next grant is on its way. */
const grantBytesMax = 16 << 20

export interface Waiting {
  /** So much may pass; `settle` follows. */
  granted(bytes: number): void
}

export class Throttle {
  readonly #clock: Clock
  readonly #quota = new ByteQuota()
  /** First come, first served. */
  readonly #queue = new Set<Waiting>()
  #timer: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Bytes a second; infinite without a limit. */
  setRate(rate: number): void {
    this.#quota.setRate(rate, this.#clock.monotonic())
    this.#timer?.cancel()
    this.#timer = undefined
    this.#serve()
  }

  /** Who asks is granted something, now or when others who asked before have had their turn. */
  ask(who: Waiting): void {
    this.#queue.add(who)
    this.#serve()
  }

  withdraw(who: Waiting): void {
    this.#queue.delete(who)
  }

  /** Of what was granted, so much has passed; more when a batch was larger. */
  settle(granted: number, passed: number): void {
    this.#quota.spend(passed - granted, this.#clock.monotonic())
    if (passed < granted) this.#serve()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#queue.clear()
  }

  #serve(): void {
    const nowMs = this.#clock.monotonic()
    for (const who of this.#queue) {
      const available = this.#quota.available(nowMs)
      if (available === 0) break
      this.#queue.delete(who)
      const turnBytes = Math.max(grantBytesMin, this.#quota.turnBytes)
      const bytes = Math.min(available, turnBytes, grantBytesMax)
      this.#quota.spend(bytes, nowMs)
      who.granted(bytes)
    }
    if (this.#queue.size === 0 || this.#timer !== undefined) return
    this.#timer = this.#clock.setTimer(this.#quota.waitMs(nowMs), () => {
      this.#timer = undefined
      this.#serve()
    })
  }
}
