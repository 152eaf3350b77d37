import type { Clock } from '@naru/base'

/** Clients that say less mean that they do not wait for the brokers, not that nothing shall be done. */
const timeoutMsMin = 1_000

/** How much is left at each moment of the time that a request gives for all that it asks for, in milliseconds. */
export function timeLeft(clock: Clock, timeoutMs: number): () => number {
  const deadlineMs = clock.monotonic() + Math.max(timeoutMs, timeoutMsMin)
  return () => deadlineMs - clock.monotonic()
}
