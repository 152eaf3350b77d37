/** The cluster as a client sees it: who is there, who leads what, one connection to each broker. */
import type { Address, Clock, Random } from '@naru/base'
import { kafkaErrorByCode, kafkaErrors, zeroTopicId } from '@naru/model'
import { type Api, apis, type ResponseOf } from '@naru/protocol'
import { Connection, type ConnectionOptions } from './connection.ts'
import { addressText, advertisedInVain } from './diagnosis.ts'
import { checkAnswer, NaruError } from './errors.ts'
import { newerOf, type TopicView, topicViewOf } from './topic-view.ts'

export interface ClusterOptions extends ConnectionOptions {
  readonly bootstrap: readonly Address[]
  readonly random: Random
  /** How long a call is tried again. */
  readonly retryMs: number
}

type MetadataAnswer = ResponseOf<typeof apis.metadata>

const backoffFirstMs = 20
const backoffMaxMs = 1_000

export class Cluster {
  readonly #options: ClusterOptions
  readonly #connections = new Map<string, Promise<Connection>>()
  readonly #addresses = new Map<number, Address>()
  readonly #topics = new Map<string, TopicView>()
  /** Look-ups on the way, shared by all who ask meanwhile: what they send next keeps its order. */
  readonly #lookups = new Map<string, Promise<TopicView>>()
  readonly #closing = new AbortController()

  constructor(options: ClusterOptions) {
    this.#options = options
  }

  get clock(): Clock {
    return this.#options.clock
  }

  get random(): Random {
    return this.#options.random
  }

  /** How long one request may take. */
  get requestTimeoutMs(): number {
    return this.#options.requestTimeoutMs
  }

  /** How long a broker may work for a request: its answer that it could not do it in time should not come too late. */
  get workTimeoutMs(): number {
    return Math.ceil(0.9 * this.#options.requestTimeoutMs)
  }

  /** Asks any broker. */
  async any<Q, R>(api: Api<Q, R>, request: Q): Promise<R> {
    const connection = await this.#anyConnection()
    return connection.request(api, request)
  }

  async broker(nodeId: number): Promise<Connection> {
    const address = this.#addresses.get(nodeId)
    if (address === undefined) {
      throw new NaruError('NARU_UNREACHABLE', `broker ${nodeId} is not known`)
    }
    try {
      return await this.#connect(address)
    } catch (error) {
      const isAsGiven = this.#options.bootstrap.some((each) => isSame(each, address))
      if (isAsGiven || !(error instanceof NaruError)) throw error
      throw advertisedInVain(nodeId, address, error)
    }
  }

  async metadata(
    topics: readonly string[] | null,
    { create = false } = {},
  ): Promise<MetadataAnswer> {
    const answer = await this.any(apis.metadata, {
      topics: topics?.map((name) => ({ topicId: zeroTopicId, name })) ?? null,
      allowAutoTopicCreation: create,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    for (const { nodeId, host, port } of answer.brokers) this.#addresses.set(nodeId, { host, port })
    return answer
  }

  /** All topics, by name. */
  async topics(): Promise<TopicView[]> {
    const { topics } = await this.metadata(null)
    const byName = (a: TopicView, b: TopicView) => (a.name < b.name ? -1 : 1)
    return topics
      .filter(({ errorCode }) => errorCode === 0)
      .map(topicViewOf)
      .sort(byName)
  }

  /** A topic as it is now; undefined when there is none of that name. */
  async find(name: string): Promise<TopicView | undefined> {
    const [found] = (await this.metadata([name])).topics
    const unknown = kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION.code
    if (found === undefined || found.errorCode === unknown) return undefined
    checkAnswer(found.errorCode, `use topic ${name}`)
    return this.#note(name, found)
  }

  /** A topic, from memory unless `isStale` or unknown; waits for one that is still being created. */
  topic(name: string, { create = false, isStale = false } = {}): Promise<TopicView> {
    const known = this.#topics.get(name)
    if (known !== undefined && !isStale) return Promise.resolve(known)
    const key = `${name}/${create}`
    const present = this.#lookups.get(key)
    if (present !== undefined) return present
    const lookup = this.#lookUp(name, create).finally(() => this.#lookups.delete(key))
    this.#lookups.set(key, lookup)
    return lookup
  }

  /** A connection to the leader of a partition. */
  async leader(topic: string, partition: number, { isStale = false } = {}): Promise<Connection> {
    const [found] = await this.leaders({ topic, partitions: [partition] }, { isStale })
    return (found as { connection: Connection }).connection
  }

  /** Connections to the leaders of partitions, each with those that it leads. */
  async leaders(
    { topic, partitions }: { topic: string; partitions: readonly number[] },
    { isStale = false } = {},
  ): Promise<{ connection: Connection; partitions: number[] }[]> {
    const view = await this.topic(topic, { isStale })
    const byLeader = Map.groupBy(partitions, (partition) => leaderOf(view, partition))
    return Promise.all(
      [...byLeader].map(async ([nodeId, led]) => {
        return { connection: await this.broker(nodeId), partitions: led }
      }),
    )
  }

  /** Runs `attempt` again while it fails with something that may pass, with growing pauses, until the time is over. */
  async retry<T>(attempt: (tries: number) => Promise<T>): Promise<T> {
    const deadline = this.clock.monotonic() + this.#options.retryMs
    let isUnknown = false
    for (let tries = 0; ; tries++) {
      try {
        return await attempt(tries)
      } catch (error) {
        if (!(error instanceof NaruError)) throw error
        // One attempt without an answer is enough: whether it happened is not known, whatever the last one says.
        isUnknown ||= error.outcome === 'unknown'
        const isOver = this.#closing.signal.aborted || this.clock.monotonic() >= deadline
        if (!error.isRetriable || isOver) throw isUnknown ? error.asUnknown() : error
        await this.#pause(tries)
      }
    }
  }

  /** Rejects before the time for one request is over, so that there is some left to ask whoever has taken over from a silent broker. */
  inGoodTime<T>(asking: Promise<T>, otherwise: string): Promise<T> {
    const patienceMs = this.#options.requestTimeoutMs / 3
    return new Promise((resolve, reject) => {
      const timer = this.clock.setTimer(patienceMs, () => {
        const text = `${otherwise} in ${Math.round(patienceMs)} ms`
        reject(new NaruError('NARU_TIMEOUT', text, { reason: 'REQUEST_TIMEOUT' }))
      })
      asking.then(resolve, reject).finally(() => timer.cancel())
    })
  }

  async close(): Promise<void> {
    this.#closing.abort()
    const all = await Promise.allSettled(this.#connections.values())
    for (const result of all) if (result.status === 'fulfilled') result.value.close()
    this.#connections.clear()
  }

  #pause(tries: number): Promise<void> {
    const limit = Math.min(backoffMaxMs, backoffFirstMs * 2 ** tries)
    const delayMs = limit * (0.5 + this.random.uint32() / 2 ** 33)
    return new Promise((resolve) => this.clock.setTimer(delayMs, resolve))
  }

  async #lookUp(name: string, create: boolean): Promise<TopicView> {
    return this.retry(async () => {
      const [found] = (await this.metadata([name], { create })).topics
      checkAnswer(found?.errorCode ?? 3, `use topic ${name}`)
      return this.#note(name, found as MetadataAnswer['topics'][number])
    })
  }

  #note(name: string, found: MetadataAnswer['topics'][number]): TopicView {
    const view = newerOf(this.#topics.get(name), topicViewOf(found))
    this.#topics.set(name, view)
    return view
  }

  /** The addresses that were given come first: one of them has answered, and what brokers advertise may not work from here. */
  async #anyConnection(): Promise<Connection> {
    const failures: NaruError[] = []
    for (const address of [...this.#options.bootstrap, ...this.#addresses.values()]) {
      try {
        return await this.#connect(address)
      } catch (error) {
        if (!(error instanceof NaruError)) throw error
        failures.push(error)
      }
    }
    throw failures.length === 1 ? failures[0] : allFailed(failures)
  }

  async #connect(address: Address): Promise<Connection> {
    const key = addressText(address)
    const present = this.#connections.get(key)
    if (present !== undefined) {
      const connection = await present
      if (connection.isOpen) return connection
    }
    const opening = Connection.open(address, this.#options, this.#closing.signal)
    this.#connections.set(key, opening)
    opening.catch(() => this.#connections.delete(key))
    return opening
  }
}

function isSame(a: Address, b: Address): boolean {
  return a.host === b.host && a.port === b.port
}

/** The first failure stands for all of them, with what each address said. */
function allFailed(failures: readonly NaruError[]): NaruError {
  const [first] = failures
  const said = [...new Set(failures.map(({ message }) => message))]
  return new NaruError(first?.code ?? 'NARU_UNREACHABLE', said.join('; '), {
    ...(first?.reason === undefined ? {} : { reason: first.reason }),
    ...(first?.at === undefined ? {} : { at: first.at }),
    cause: first,
  })
}

function leaderOf({ name, partitions }: TopicView, partition: number): number {
  const found = partitions.find((candidate) => candidate.partition === partition)
  if (found === undefined) {
    const text = `Topic ${name} has no partition ${partition}, only ${partitions.length}`
    throw new NaruError('NARU_BROKER', text, { kafka: kafkaErrorByCode(3) })
  }
  if (found.leader < 0) checkAnswer(5, `use ${name}/${partition}`)
  return found.leader
}
