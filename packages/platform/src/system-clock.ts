import type { Clock } from '@naru/base'

/** The machine's clocks and Node's timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, callback) {
    // Longer delays would fire at once: setTimeout counts in 31 bits.
    const timer = setTimeout(callback, Math.min(delayMs, 2 ** 31 - 1))
    timer.unref()
    return { cancel: () => clearTimeout(timer) }
  },
  afterTurn(callback) {
    setImmediate(callback)
  },
}
