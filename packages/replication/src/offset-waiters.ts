/** Who waits until a partition has come to an offset: a produce request whose records are not acknowledged yet. */
import type { Clock, Timer } from '@naru/base'
import { type KafkaError, kafkaErrors } from '@naru/model'

/** Called once: with nothing when the offset is reached, else with the reason why it is not. */
export type WaitOver = (error: KafkaError | undefined) => void

interface Waiter {
  readonly endOffset: bigint
  readonly deadlineMs: number
  readonly done: WaitOver
}

export class OffsetWaiters {
  readonly #clock: Clock
  /** In the order of arrival, which is that of the offsets but for repeated requests. */
  #waiting: Waiter[] = []
  #timer: Timer | undefined
  #timerMs = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  wait(endOffset: bigint, timeoutMs: number, done: WaitOver): void {
    const deadlineMs = this.#clock.monotonic() + timeoutMs
    this.#waiting.push({ endOffset, deadlineMs, done })
    // A timer that fires in vain once a time-out costs less than one for each request.
    if (this.#timer === undefined || deadlineMs < this.#timerMs) this.#arm(deadlineMs)
  }

  reached(offset: bigint): void {
    let count = 0
    for (; count < this.#waiting.length; count++) {
      const waiter = this.#waiting[count] as Waiter
      if (waiter.endOffset > offset) break
      waiter.done(undefined)
    }
    if (count > 0) this.#waiting.splice(0, count)
  }

  /** Nobody who waits will be satisfied. */
  fail(error: KafkaError): void {
    this.#timer?.cancel()
    this.#timer = undefined
    for (const { done } of this.#waiting.splice(0)) done(error)
  }

  #arm(deadlineMs: number): void {
    this.#timer?.cancel()
    this.#timerMs = deadlineMs
    const delayMs = Math.max(0, deadlineMs - this.#clock.monotonic())
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined
      this.#expire()
    })
  }

  #expire(): void {
    const nowMs = this.#clock.monotonic()
    const late = this.#waiting.filter(({ deadlineMs }) => deadlineMs <= nowMs)
    this.#waiting = this.#waiting.filter(({ deadlineMs }) => deadlineMs > nowMs)
    const next = this.#waiting.map(({ deadlineMs }) => deadlineMs)
    if (next.length > 0) this.#arm(Math.min(...next))
    for (const { done } of late) done(kafkaErrors.REQUEST_TIMED_OUT)
  }
}
