/**
 * Asks the controller, wherever it is: here, or over the link to the node that leads. While nobody leads, and after an answer that
 * the node asked does not lead, it asks again when there is another leader, until a deadline.
 */
import type { Clock, Timer } from '@naru/base'
import { ConsensusError } from './errors.ts'
import type { CallOutcome } from './peers/frame.ts'

export interface ControllerRequest {
  readonly operation: string
  /** Some depend on how much time is left when they are sent. */
  readonly payload: Buffer | ((leftMs: number) => Buffer)
  readonly timeoutMs: number
  /** Doing it twice is the same as doing it once: then it is asked again also when nobody knows what became of it. */
  readonly isRepeatable: boolean
}

export interface ControllerChannelOptions {
  readonly clock: Clock
  readonly nodeId: number
  /** Who leads as far as this node knows. */
  readonly leader: () => number | undefined
  readonly here: (operation: string, payload: Buffer) => Promise<CallOutcome>
  readonly there: (
    nodeId: number,
    request: { operation: string; payload: Buffer; timeoutMs: number },
  ) => Promise<CallOutcome>
}

/** Before the same node is asked once more. */
const retryMs = 50
/** What the node that led has answered may still be on its way when another leads; one that stands still never answers. */
const lateMs = 300

export class ControllerChannel {
  readonly #options: ControllerChannelOptions
  readonly #wakes = new Set<() => void>()
  readonly #pending = new Set<() => void>()
  #isStopped = false

  constructor(options: ControllerChannelOptions) {
    this.#options = options
  }

  /**
   * Rejects with NOT_LEADER when nobody answered in time, with REFUSED by a controller of another version, and with LEADERSHIP_LOST when
   * nobody knows what became of it.
   */
  async ask(request: ControllerRequest): Promise<{ index: bigint; payload: Buffer }> {
    const { clock } = this.#options
    const deadlineMs = clock.monotonic() + request.timeoutMs
    for (;;) {
      const leftMs = deadlineMs - clock.monotonic()
      const outcome = await this.#try(request, leftMs)
      if ('payload' in outcome) return outcome
      if (outcome.failure === 'REFUSED') throw refused(request)
      const isUnknown = outcome.failure === 'LEADERSHIP_LOST'
      if (isUnknown && !request.isRepeatable) throw unknown()
      if (this.#isStopped || clock.monotonic() + retryMs >= deadlineMs) {
        throw isUnknown ? unknown() : unanswered(request)
      }
      await this.#another(retryMs)
    }
  }

  /** There may be another leader. */
  leaderChanged(): void {
    for (const wake of [...this.#wakes]) wake()
    for (const look of this.#pending) look()
  }

  stop(): void {
    this.#isStopped = true
    this.leaderChanged()
  }

  async #try(request: ControllerRequest, leftMs: number): Promise<CallOutcome> {
    const { leader, nodeId, here, there } = this.#options
    const at = leader()
    if (at === undefined) return { index: 0n, failure: 'NOT_LEADER' }
    const { operation, payload: asked } = request
    const payload = typeof asked === 'function' ? asked(leftMs) : asked
    if (at === nodeId) return here(operation, payload)
    return this.#untilReplaced(at, there(at, { operation, payload, timeoutMs: leftMs }))
  }

  /** What `call` comes to, or that nobody knows it a while after another node than `at` leads. */
  #untilReplaced(at: number, call: Promise<CallOutcome>): Promise<CallOutcome> {
    return new Promise((resolve) => {
      let timer: Timer | undefined
      let isReplaced = false
      const settle = (outcome: CallOutcome) => {
        timer?.cancel()
        this.#pending.delete(look)
        resolve(outcome)
      }
      const look = () => {
        const { clock, leader } = this.#options
        const now = leader()
        if (isReplaced || now === at) return
        isReplaced = now !== undefined
        timer?.cancel()
        // That a leader was heard is nobody's news: it has to be asked for.
        if (!isReplaced) timer = clock.setTimer(retryMs, look)
        else timer = clock.setTimer(lateMs, () => settle(lostLeader))
      }
      this.#pending.add(look)
      void call.then(settle)
    })
  }

  /** Resolves when there may be another leader, and after `delayMs` at the latest. */
  #another(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        timer.cancel()
        this.#wakes.delete(wake)
        resolve()
      }
      const timer = this.#options.clock.setTimer(delayMs, wake)
      this.#wakes.add(wake)
    })
  }
}

const lostLeader = { index: 0n, failure: 'LEADERSHIP_LOST' } as const

function unknown(): ConsensusError {
  const message = 'Nobody knows whether it happened: the controller went away before it answered'
  return new ConsensusError('LEADERSHIP_LOST', message)
}

function refused({ operation }: ControllerRequest): ConsensusError {
  const message = `The controller does not know this form of ${operation}: it runs another version`
  return new ConsensusError('REFUSED', message)
}

/** For people: most of them meet it when too many voters are down. */
function unanswered({ timeoutMs }: ControllerRequest): ConsensusError {
  const message = `No controller answered in ${Math.round(timeoutMs)} ms: does a majority of the voters run?`
  return new ConsensusError('NOT_LEADER', message)
}
