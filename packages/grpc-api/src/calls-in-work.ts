/** Counts calls that somebody waits for. */
export class CallsInWork {
  #count = 0
  #onIdle: (() => void)[] = []

  start(): void {
    this.#count++
  }

  end(): void {
    if (--this.#count > 0) return
    for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  whenIdle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve()
    return new Promise((resolve) => this.#onIdle.push(resolve))
  }
}
