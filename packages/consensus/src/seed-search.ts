/** While no leader is known: asks who is at the addresses of old, so that the replica has somebody to ask for the log. */
import type { Address, Clock, Timer } from '@naru/base'

export interface SeedSearchOptions {
  readonly clock: Clock
  readonly intervalMs: number
  readonly seeds: readonly Address[]
  readonly isNeeded: () => boolean
  readonly greet: (address: Address) => Promise<unknown>
}

export class SeedSearch {
  readonly #options: SeedSearchOptions
  #timer: Timer | undefined
  #isStopped = false

  constructor(options: SeedSearchOptions) {
    this.#options = options
  }

  /** Begins, or ends, as it is needed now. */
  check(): void {
    const { seeds, isNeeded } = this.#options
    const isWanted = isNeeded() && !this.#isStopped && seeds.length > 0
    if (!isWanted) this.#cancel()
    else if (this.#timer === undefined) this.#ask()
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  #ask(): void {
    const { clock, intervalMs, seeds, greet } = this.#options
    for (const address of seeds) void greet(address)
    this.#timer = clock.setTimer(intervalMs, () => {
      this.#timer = undefined
      this.check()
    })
  }

  #cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
