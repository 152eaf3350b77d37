import type { Clock } from '@naru/base'

/** Resolves after at least `ms`. */
export function elapsed(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimer(ms, resolve))
}
