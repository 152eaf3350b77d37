/** What is going to happen, by time and then by order of arrival: a binary heap. */
import type { Timer } from '@naru/base'

interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
  /** It stays in its place, and nothing comes of it. */
  isCancelled: boolean
}

export class EventQueue {
  readonly #heap: Event[] = []
  #order = 0
  #nowMs = 0
  #cancelled = 0

  get nowMs(): number {
    return this.#nowMs
  }

  /** Events that are to happen. */
  get size(): number {
    return this.#heap.length - this.#cancelled
  }

  after(delayMs: number, run: () => void): Timer {
    const atMs = this.#nowMs + Math.max(0, delayMs)
    const event = { atMs, order: this.#order++, run, isCancelled: false }
    this.#add(event)
    return { cancel: () => this.#cancel(event) }
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    for (let event = this.#take(); event !== undefined; event = this.#take()) {
      if (event.isCancelled) {
        this.#cancelled--
        continue
      }
      // Too late to be cancelled.
      event.isCancelled = true
      this.#nowMs = event.atMs
      event.run()
      return true
    }
    return false
  }

  clear(): void {
    for (const event of this.#heap) event.isCancelled = true
    this.#heap.length = 0
    this.#cancelled = 0
  }

  #cancel(event: Event): void {
    if (event.isCancelled) return
    event.isCancelled = true
    this.#cancelled++
    if (this.#cancelled < 1_000 || this.#cancelled < this.#heap.length / 2) return
    const left = this.#heap.splice(0).filter(({ isCancelled }) => !isCancelled)
    this.#cancelled = 0
    for (const each of left) this.#add(each)
  }

  #add(event: Event): void {
    let at = this.#heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(event, this.#heap[parent] as Event)) break
      this.#heap[at] = this.#heap[parent] as Event
      at = parent
    }
    this.#heap[at] = event
  }

  #take(): Event | undefined {
    const first = this.#heap[0]
    if (first === undefined) return undefined
    const last = this.#heap.pop() as Event
    if (this.#heap.length > 0) this.#sink(last)
    return first
  }

  #sink(event: Event): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event))
        child++
      if (!isBefore(heap[child] as Event, event)) break
      heap[at] = heap[child] as Event
      at = child
    }
    heap[at] = event
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
