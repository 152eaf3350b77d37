/** Clients that create topics as fast as they are paced, each name asked for once, and remember what became of each. */
import { kafkaErrors } from '@naru/model'
import { apis } from '@naru/protocol'
import type { ClusterBroker } from './cluster-broker.ts'
import { within } from './eventually.ts'
import { create, newTopic } from './requests.ts'
import { WireClient } from './wire-client.ts'

export interface Creation {
  readonly name: string
  readonly askedMs: number
  outcome:
    | { readonly kind: 'acknowledged'; readonly topicId: string; readonly atMs: number }
    /** It surely did not happen. */
    | { readonly kind: 'refused'; readonly why: string }
    | { readonly kind: 'unknown' }
}

interface Waiter {
  readonly isOver: (creation: Creation) => boolean
  readonly resolve: () => void
}

export interface CreatorsOptions {
  readonly clients?: number
  /** Of all clients together. */
  readonly perSecond?: number
  readonly prefix?: string
  /** After which an answer is waited for no longer. */
  readonly silenceMs?: number
}

const version = 7
/** Between two attempts of a client that finds nobody. */
const retryMs = 20
const outcomeIsUnknown: readonly number[] = [
  kafkaErrors.REQUEST_TIMED_OUT.code,
  kafkaErrors.NETWORK_EXCEPTION.code,
]

export class TopicCreators implements AsyncDisposable {
  readonly creations: Creation[] = []
  readonly #brokers: readonly ClusterBroker[]
  readonly #options: Required<CreatorsOptions>
  readonly #loops: Promise<void>[]
  #waiters: Waiter[] = []
  #isRunning = true
  #acknowledged = 0

  /** Each client prefers another broker, and takes the next one when its own does not answer. */
  constructor(brokers: readonly ClusterBroker[], options: CreatorsOptions = {}) {
    this.#brokers = brokers
    const defaults = { clients: 6, perSecond: 60, prefix: 't', silenceMs: 5_000 }
    this.#options = { ...defaults, ...options }
    const clients = Array.from({ length: this.#options.clients }, (_, index) => index)
    this.#loops = clients.map((index) => this.#loop(index))
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  /** Resolves when so many more are acknowledged. */
  more(count: number, withinMs = 60_000): Promise<void> {
    const goal = this.#acknowledged + count
    return this.#until(`${count} more creations`, () => this.#acknowledged >= goal, withinMs)
  }

  /** The first acknowledged creation that was asked for after `ms`: how long after that it was acknowledged. */
  async acknowledgedAfter(ms: number, withinMs = 60_000): Promise<number> {
    let atMs = 0
    const isOver = ({ askedMs, outcome }: Creation) => {
      if (askedMs < ms || outcome.kind !== 'acknowledged') return false
      atMs = outcome.atMs
      return true
    }
    await this.#until('a creation that was asked for later', isOver, withinMs)
    return atMs - ms
  }

  async stop(): Promise<readonly Creation[]> {
    this.#isRunning = false
    await Promise.all(this.#loops)
    return this.creations
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #until(what: string, isOver: Waiter['isOver'], withinMs: number): Promise<void> {
    const over = new Promise<void>((resolve) => this.#waiters.push({ isOver, resolve }))
    return within(withinMs, what, over)
  }

  async #loop(index: number): Promise<void> {
    const { clients, perSecond, prefix, silenceMs } = this.#options
    const paceMs = (1_000 * clients) / perSecond
    let at = index
    for (let number = 0; this.#isRunning; at++) {
      const broker = this.#brokers[at % this.#brokers.length] as ClusterBroker
      await using client = new WireClient(broker.bootstrap, { silenceMs })
      for (let isAnswered = true; isAnswered && this.#isRunning; ) {
        const creation = this.#begin(`${prefix}-${index}-${number++}`)
        isAnswered = await this.#create(client, creation)
        const isDone = creation.outcome.kind === 'acknowledged'
        this.#note(creation)
        await pause(isDone ? creation.askedMs + paceMs - performance.now() : retryMs)
      }
    }
  }

  #begin(name: string): Creation {
    const creation: Creation = { name, askedMs: performance.now(), outcome: { kind: 'unknown' } }
    this.creations.push(creation)
    return creation
  }

  /** Returns whether the connection can be used again. */
  async #create(client: WireClient, creation: Creation): Promise<boolean> {
    try {
      await client.send(apis.createTopics, version, create([newTopic(creation.name)]))
    } catch (error) {
      creation.outcome = { kind: 'refused', why: `not sent: ${error}` }
      return false
    }
    const answer = await client.answer(apis.createTopics, version)
    if (typeof answer === 'string') return false
    const { errorCode = -1, errorMessage, topicId = '' } = answer.topics[0] ?? {}
    if (errorCode === 0) {
      this.#acknowledged++
      creation.outcome = { kind: 'acknowledged', topicId, atMs: performance.now() }
    } else if (!outcomeIsUnknown.includes(errorCode)) {
      creation.outcome = { kind: 'refused', why: `${errorCode} ${errorMessage}` }
    }
    return true
  }

  #note(creation: Creation): void {
    const over = this.#waiters.filter(({ isOver }) => isOver(creation))
    this.#waiters = this.#waiters.filter((waiter) => !over.includes(waiter))
    for (const { resolve } of over) resolve()
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)))
}
