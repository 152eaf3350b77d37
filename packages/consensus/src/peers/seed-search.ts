/** While no leader is known: asks around, again and again, so that the replica has somebody to ask for the log. */
import type { Clock, Timer } from '@naru/base'

export interface SeedSearchOptions {
  readonly clock: Clock
  readonly intervalMs: number
  readonly isNeeded: () => boolean
  readonly ask: () => void
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
    if (this.#isStopped || !this.#options.isNeeded()) this.#cancel()
    else if (this.#timer === undefined) this.#ask()
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  #ask(): void {
    const { clock, intervalMs, ask } = this.#options
    ask()
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
