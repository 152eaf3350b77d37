/**
 * One process on a simulated machine: its clock, and whether it runs. What was to happen to a dead process never does; what comes
 * due while it is stopped (SIGSTOP) comes when it goes on. Everything that happens to a process must come through its timers or the
 * network, then it can be killed between any two events by not letting them come.
 */
import type { Clock, Timer } from '@naru/base'

interface Pending {
  readonly run: () => void
  timer: Timer | undefined
}

export class SimulatedProcess implements Clock {
  readonly #clock: Clock
  readonly #skewMs: number
  readonly #pending = new Set<Pending>()
  /** Came due while it was stopped. */
  #due: Pending[] = []
  #state: 'running' | 'stopped' | 'dead' = 'running'
  #turns = 0

  /** `skewMs`: how wrong its wall clock is. */
  constructor(clock: Clock, skewMs = 0) {
    this.#clock = clock
    this.#skewMs = skewMs
  }

  get state(): 'running' | 'stopped' | 'dead' {
    return this.#state
  }

  /** How often something has happened to it: in between it is as it was. */
  get turns(): number {
    return this.#turns
  }

  /** A message has come for it, or anything else that is not one of its timers. */
  turn(): void {
    this.#turns++
  }

  get timerCount(): number {
    return this.#pending.size
  }

  now(): number {
    return this.#clock.now() + this.#skewMs
  }

  monotonic(): number {
    return this.#clock.monotonic()
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const pending: Pending = { run: callback, timer: undefined }
    if (this.#state === 'dead') return { cancel() {} }
    this.#pending.add(pending)
    pending.timer = this.#clock.setTimer(delayMs, () => this.#expire(pending))
    return {
      cancel: () => {
        this.#pending.delete(pending)
        pending.timer?.cancel()
      },
    }
  }

  afterTurn(callback: () => void): void {
    this.setTimer(0, callback)
  }

  /** Resolves in the time of this process: later when it is stopped, never when it is dead. */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.setTimer(delayMs, resolve))
  }

  stop(): void {
    if (this.#state === 'running') this.#state = 'stopped'
  }

  /** What came due meanwhile happens `afterMs` later, in its order. */
  goOn(afterMs: number): void {
    if (this.#state !== 'stopped') return
    this.#state = 'running'
    for (const pending of this.#due.splice(0)) {
      pending.timer = this.#clock.setTimer(afterMs, () => this.#expire(pending))
    }
  }

  kill(): void {
    this.#state = 'dead'
    for (const { timer } of this.#pending) timer?.cancel()
    this.#pending.clear()
    this.#due = []
  }

  #expire(pending: Pending): void {
    if (!this.#pending.has(pending)) return
    if (this.#state === 'stopped') {
      this.#due.push(pending)
      return
    }
    this.#pending.delete(pending)
    this.turn()
    pending.run()
  }
}
