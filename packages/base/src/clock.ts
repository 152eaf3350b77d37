/** The port of time. Only `platform` and the simulator implement it. */
export interface Clock {
  /** Wall-clock milliseconds since the epoch: for record timestamps and retention, never for timers. */
  now(): number
  /** Milliseconds that never go back, from an arbitrary start: for durations and deadlines. */
  monotonic(): number
  /** Calls back once, after at least `delayMs`. Does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): Timer
  /** Calls back when everything that has arrived in this turn of the event loop has been handled. */
  afterTurn(callback: () => void): void
}

export interface Timer {
  cancel(): void
}
