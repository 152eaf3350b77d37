import type { NodeId } from '@naru/model'

/**
 * How often each broker was fenced early and came back, which shows that it had been alive all along. After too many within the window,
 * only silence fences it. Real deaths are never limited, since nobody comes back from them.
 */
export class FalseFences {
  readonly #timesMs = new Map<NodeId, number[]>()
  readonly #max: number
  readonly #windowMs: number

  constructor({ max, windowMs }: { max: number; windowMs: number }) {
    this.#max = max
    this.#windowMs = windowMs
  }

  note(nodeId: NodeId, nowMs: number): void {
    this.#timesMs.set(nodeId, [...this.#recent(nodeId, nowMs), nowMs])
  }

  mayFence(nodeId: NodeId, nowMs: number): boolean {
    return this.#recent(nodeId, nowMs).length < this.#max
  }

  forget(nodeId: NodeId): void {
    this.#timesMs.delete(nodeId)
  }

  #recent(nodeId: NodeId, nowMs: number): number[] {
    const times = this.#timesMs.get(nodeId) ?? []
    return times.filter((time) => nowMs - time < this.#windowMs).slice(-this.#max)
  }
}
