/**
 * Virtual time. One queue of events by (time, order of arrival); after each event all promises that it settled run before the
 * next one, so a run depends on the seed alone.
 */
import type { Clock, Timer } from '@naru/base'

interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

const epochMs = 1_700_000_000_000

export class SimulatedClock implements Clock {
  #events: Event[] = []
  #nowMs = 0
  #order = 0

  now(): number {
    return epochMs + Math.floor(this.#nowMs)
  }

  monotonic(): number {
    return this.#nowMs
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run: callback }
    const index = this.#events.findLastIndex((each) => each.atMs <= event.atMs)
    this.#events.splice(index + 1, 0, event)
    return {
      cancel: () => {
        this.#events = this.#events.filter((each) => each !== event)
      },
    }
  }

  afterTurn(callback: () => void): void {
    this.setTimer(0, callback)
  }

  /** Resolves in virtual time. */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.setTimer(delayMs, resolve))
  }

  /** Forgets everything that was going to happen: the process that wanted it is dead. */
  clear(): void {
    this.#events = []
  }

  /** Runs the next event and all that follows from it at once; false when there is none. */
  async step(): Promise<boolean> {
    const event = this.#events.shift()
    if (event === undefined) {
      await this.settle()
      return this.#events.length > 0
    }
    this.#nowMs = event.atMs
    event.run()
    await this.settle()
    return true
  }

  /** Lets every promise that is ready run: what follows at once from what has happened. */
  settle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve))
  }

  /** Steps until `promise` is settled, and gives what it came to. */
  async drive<T>(promise: Promise<T>, stepsMax = 100_000): Promise<T> {
    let isDone = false
    const watched = promise.finally(() => {
      isDone = true
    })
    watched.catch(() => {})
    await this.settle()
    for (let i = 0; i < stepsMax && !isDone; i++) await this.step()
    if (!isDone) throw new Error(`Nothing came of it in ${stepsMax} steps`)
    return watched
  }
}
