/**
 * Virtual time. One queue of events by (time, order of arrival); after each event all promises that it settled run before the
 * next one, so a run depends on the seed alone.
 */
import type { Clock, Timer } from '@naru/base'
import { EventQueue } from './event-queue.ts'

const epochMs = 1_700_000_000_000
const settledPerTurn = 1_000

export class SimulatedClock implements Clock {
  readonly #events = new EventQueue()
  #settled = 0

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
    const hasRun = this.run()
    await this.settle()
    return hasRun || this.#events.size > 0
  }

  /** Runs the next event alone: {@link settle} before the one after it. */
  run(): boolean {
    return this.#events.step()
  }

  /**
   * Lets every promise that is ready run: what follows at once from what has happened. Node comes to its ticks when no promise is
   * ready any more; a turn of its event loop would do as well, but takes longer. Now and then it takes one: whoever runs the walk may
   * have timers.
   */
  settle(): Promise<void> {
    const isTurn = ++this.#settled % settledPerTurn === 0
    return new Promise((resolve) => {
      if (isTurn) setImmediate(resolve)
      else process.nextTick(resolve)
    })
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
