/**
 * Virtual time. One queue of events by (time, order of arrival); after each event all promises that it settled run before the
 * next one, so a run depends on the seed alone.
 */
import type { Clock, Timer } from '@naru/base'
import { EventQueue } from './event-queue.ts'

const epochMs = 1_700_000_000_000

export class SimulatedClock implements Clock {
  readonly #events = new EventQueue()

  now(): number {
    return epochMs + Math.floor(this.#events.nowMs)
  }

  monotonic(): number {
    return this.#events.nowMs
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.#events.after(delayMs, callback)
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
    this.#events.clear()
  }

  /** Runs the next event and all that follows from it at once; false when there is none. */
  async step(): Promise<boolean> {
    const hasRun = this.#events.step()
    await this.settle()
    return hasRun || this.#events.size > 0
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
