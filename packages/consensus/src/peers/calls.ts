/** Requests from one broker to another, each with a deadline, over the links that are there. */
import { type Clock, DecodeError, type Timer } from '@naru/base'
import type { Call, CallOutcome, Frame, Hello } from './frame.ts'

/** Calls of this node that wait for an answer, and calls of one other node that are being answered. */
const outgoingMax = 4_096
const incomingMax = 1_024

export interface CallsOptions {
  readonly clock: Clock
  readonly post: (nodeId: number, frame: Frame) => void
  /** To that process and no other. */
  readonly reply: (peer: Hello, frame: Frame) => void
  readonly answer: (operation: string, payload: Buffer, from: Hello) => Promise<CallOutcome>
}

interface Waiting {
  readonly nodeId: number
  readonly timer: Timer
  readonly settle: (outcome: CallOutcome) => void
}

export class Calls {
  readonly #options: CallsOptions
  readonly #waiting = new Map<number, Waiting>()
  readonly #incoming = new Map<number, number>()
  #nextId = 1

  constructor(options: CallsOptions) {
    this.#options = options
  }

  /** Resolves with what the other node answers; LEADERSHIP_LOST when nobody knows what became of the call. Never rejects. */
  call(
    nodeId: number,
    request: { operation: string; payload: Buffer; timeoutMs: number },
  ): Promise<CallOutcome> {
    const { operation, payload, timeoutMs } = request
    if (this.#waiting.size >= outgoingMax) return Promise.resolve({ index: 0n, failure: 'BUSY' })
    const id = this.#nextId
    this.#nextId = (id % 0x7fff_ffff) + 1
    return new Promise((resolve) => {
      const timer = this.#options.clock.setTimer(timeoutMs, () => this.#settle(id, unknownOutcome))
      this.#waiting.set(id, { nodeId, timer, settle: resolve })
      this.#options.post(nodeId, { calls: [{ id, operation, payload }] })
    })
  }

  /** What a frame has for calls. */
  frame(peer: Hello, { calls = [], results = [] }: Frame): void {
    for (const result of results) this.#settle(result.id, result)
    for (const call of calls) void this.#answer(peer, call)
  }

  /** The process that was called is gone, or the link to it. */
  down({ nodeId }: Hello): void {
    for (const [id, waiting] of this.#waiting) {
      if (waiting.nodeId === nodeId) this.#settle(id, unknownOutcome)
    }
  }

  stop(): void {
    for (const id of [...this.#waiting.keys()]) this.#settle(id, unknownOutcome)
  }

  async #answer(peer: Hello, { id, operation, payload }: Call): Promise<void> {
    const { nodeId } = peer
    const { reply } = this.#options
    const count = this.#incoming.get(nodeId) ?? 0
    if (count >= incomingMax) {
      reply(peer, { results: [{ id, index: 0n, failure: 'BUSY' }] })
      return
    }
    this.#incoming.set(nodeId, count + 1)
    const outcome = await this.#outcomeOf(peer, operation, payload)
    this.#incoming.set(nodeId, (this.#incoming.get(nodeId) ?? 1) - 1)
    reply(peer, { results: [{ id, ...outcome }] })
  }

  async #outcomeOf(peer: Hello, operation: string, payload: Buffer): Promise<CallOutcome> {
    try {
      return await this.#options.answer(operation, payload, peer)
    } catch (error) {
      // The sender is of another version, or broken.
      if (error instanceof DecodeError) return { index: 0n, failure: 'REFUSED' }
      throw error
    }
  }

  #settle(id: number, outcome: CallOutcome): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    waiting.timer.cancel()
    waiting.settle(outcome)
  }
}

const unknownOutcome = { index: 0n, failure: 'LEADERSHIP_LOST' } as const
