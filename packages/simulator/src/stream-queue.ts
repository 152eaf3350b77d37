/** What is under way in one direction of a stream: it arrives in order, one after the other, when the way is free. */
import type { Clock, StreamClose, Timer } from '@naru/base'

export type Item =
  /** The stream itself, before everything that is sent on it. */
  | { readonly kind: 'open' }
  | {
      readonly kind: 'message'
      readonly message: object
      readonly bytes: number
      readonly digest: number
    }
  | { readonly kind: 'close'; readonly reason: StreamClose }

/** Why the first item does not arrive: until a time, or until somebody says that it can be tried again. */
export type Obstacle = number | 'cut' | 'off' | 'stopped' | 'void' | 'hanging'

/** Less may be nothing at all, added to a time that has gone far: then it would wait for ever at the same moment. */
const leastWaitMs = 0.001

export interface StreamQueuePorts {
  readonly clock: Clock
  delayMs(): number
  obstacle(item: Item): Obstacle | undefined
  arrive(item: Item): void
}

export class StreamQueue {
  readonly #ports: StreamQueuePorts
  /** With the earliest time of arrival; later when the one before is later. */
  readonly #items: { readonly item: Item; readonly atMs: number }[] = []
  #timer: Timer | undefined
  #stalledBy: Obstacle | undefined
  #bytes = 0
  #isMuted = false

  constructor(ports: StreamQueuePorts) {
    this.#ports = ports
  }

  get length(): number {
    return this.#items.length
  }

  get bytes(): number {
    return this.#bytes
  }

  /** What holds up the first item until {@link retry}. */
  get stalledBy(): Obstacle | undefined {
    return this.#stalledBy
  }

  get hasOpen(): boolean {
    return this.#items[0]?.item.kind === 'open'
  }

  push(item: Item, extraMs = 0): void {
    if (this.#isMuted) return
    const { clock, delayMs } = this.#ports
    const atMs = clock.monotonic() + extraMs + delayMs()
    this.#items.push({ item, atMs })
    if (item.kind === 'message') this.#bytes += item.bytes
    if (this.#items.length === 1) this.#arm(atMs)
  }

  /** What comes now is lost on the way, without anybody being told. */
  mute(): void {
    this.keep(0)
    this.#isMuted = true
  }

  unmute(): void {
    this.#isMuted = false
  }

  /** The obstacle may be gone. */
  retry(delayMs: number): void {
    if (this.#stalledBy === undefined) return
    this.#stalledBy = undefined
    this.#arm(this.#ports.clock.monotonic() + delayMs)
  }

  /** Loses what comes after the first `count` items. */
  keep(count: number): void {
    this.#items.length = Math.min(this.#items.length, count)
    this.#bytes = 0
    for (const { item } of this.#items) if (item.kind === 'message') this.#bytes += item.bytes
    if (this.#items.length > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
    this.#stalledBy = undefined
  }

  #arm(atMs: number): void {
    const { clock } = this.#ports
    this.#timer = clock.setTimer(atMs - clock.monotonic(), () => this.#due())
  }

  #due(): void {
    this.#timer = undefined
    const first = this.#items[0]
    if (first === undefined) return
    const { clock, obstacle, arrive } = this.#ports
    const found = obstacle(first.item)
    if (typeof found === 'number') {
      this.#arm(clock.monotonic() + Math.max(found, leastWaitMs))
      return
    }
    this.#stalledBy = found
    if (found !== undefined) return
    this.#items.shift()
    if (first.item.kind === 'message') this.#bytes -= first.item.bytes
    const next = this.#items[0]
    if (next !== undefined) this.#arm(Math.max(next.atMs, clock.monotonic()))
    arrive(first.item)
  }
}
