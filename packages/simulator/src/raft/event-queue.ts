/** What is going to happen, by time and then by order of arrival: a binary heap. */
interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
}

export class EventQueue {
  readonly #heap: Event[] = []
  #order = 0
  #nowMs = 0

  get nowMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): void {
    const event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run }
    let at = this.#heap.push(event) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(event, this.#heap[parent] as Event)) break
      this.#heap[at] = this.#heap[parent] as Event
      at = parent
    }
    this.#heap[at] = event
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    const first = this.#heap[0]
    if (first === undefined) return false
    const last = this.#heap.pop() as Event
    if (this.#heap.length > 0) this.#sink(last)
    this.#nowMs = first.atMs
    first.run()
    return true
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
