/** The cluster as a client sees it: who is there, who leads what, one connection to each broker. */
import type { Address, Clock, Random } from '@naru/base'
import { kafkaErrorByCode } from '@naru/model'
import { type Api, apis, type ResponseOf } from '@naru/protocol'
import { Connection, type ConnectionOptions } from './connection.ts'
import { checkAnswer, NaruError } from './errors.ts'

export interface ClusterOptions extends ConnectionOptions {
  readonly bootstrap: readonly Address[]
  readonly random: Random
  /** How long a call is tried again. */
  readonly retryMs: number
}

export interface TopicView {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly {
    readonly partition: number
    readonly leader: number
    readonly leaderEpoch: number
    readonly replicas: readonly number[]
    readonly isr: readonly number[]
  }[]
}

type MetadataAnswer = ResponseOf<typeof apis.metadata>

const backoffFirstMs = 20
const backoffMaxMs = 1_000

export class Cluster {
  readonly #options: ClusterOptions
  readonly #connections = new Map<string, Promise<Connection>>()
  readonly #addresses = new Map<number, Address>()
  readonly #topics = new Map<string, TopicView>()
  #isClosed = false

  constructor(options: ClusterOptions) {
    this.#options = options
  }

  get clock(): Clock {
    return this.#options.clock
  }

  get random(): Random {
    return this.#options.random
  }

  /** Asks any broker. */
  async any<Q, R>(api: Api<Q, R>, request: Q): Promise<R> {
    const connection = await this.#anyConnection()
    return connection.request(api, request)
  }

  async broker(nodeId: number): Promise<Connection> {
    const address = this.#addresses.get(nodeId)
    if (address === undefined) {
      throw new NaruError('NARU_UNREACHABLE', `Broker ${nodeId} is not known`)
    }
    return this.#connect(address)
  }

  async metadata(
    topics: readonly string[] | null,
    { create = false } = {},
  ): Promise<MetadataAnswer> {
    const answer = await this.any(apis.metadata, {
      topics: topics?.map((name) => ({ topicId: 'AAAAAAAAAAAAAAAAAAAAAA', name })) ?? null,
      allowAutoTopicCreation: create,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false,
    })
    for (const { nodeId, host, port } of answer.brokers) this.#addresses.set(nodeId, { host, port })
    return answer
  }

  /** A topic with a leader for each partition, from memory unless `isStale` or unknown. */
  async topic(name: string, { create = false, isStale = false } = {}): Promise<TopicView> {
    const known = this.#topics.get(name)
    if (known !== undefined && !isStale) return known
    return this.retry(async () => {
      const answer = await this.metadata([name], { create })
      const found = answer.topics[0]
      checkAnswer(found?.errorCode ?? 3, `use topic ${name}`)
      const view = viewOf(found as MetadataAnswer['topics'][number])
      for (const { leader } of view.partitions) {
        if (leader < 0) checkAnswer(5, `use topic ${name}`)
      }
      this.#topics.set(name, view)
      return view
    })
  }

  /** A connection to the leader of a partition. */
  async leader(topic: string, partition: number, { isStale = false } = {}): Promise<Connection> {
    const view = await this.topic(topic, { isStale })
    const found = view.partitions.find((candidate) => candidate.partition === partition)
    if (found === undefined) {
      const count = view.partitions.length
      throw new NaruError(
        'NARU_BROKER',
        `Topic ${topic} has no partition ${partition}, only ${count}`,
        {
          kafka: kafkaErrorByCode(3),
        },
      )
    }
    return this.broker(found.leader)
  }

  /** Runs `attempt` again while it fails with something that may pass, with growing pauses, until the time is over. */
  async retry<T>(attempt: (tries: number) => Promise<T>): Promise<T> {
    const deadline = this.clock.monotonic() + this.#options.retryMs
    for (let tries = 0; ; tries++) {
      try {
        return await attempt(tries)
      } catch (error) {
        const isPassing = error instanceof NaruError && error.isRetriable
        if (!isPassing || this.#isClosed || this.clock.monotonic() >= deadline) throw error
        await this.#pause(tries)
      }
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const all = await Promise.allSettled(this.#connections.values())
    for (const result of all) if (result.status === 'fulfilled') result.value.close()
    this.#connections.clear()
  }

  #pause(tries: number): Promise<void> {
    const limit = Math.min(backoffMaxMs, backoffFirstMs * 2 ** tries)
    const delayMs = limit * (0.5 + this.random.uint32() / 2 ** 33)
    return new Promise((resolve) => this.clock.setTimer(delayMs, resolve))
  }

  async #anyConnection(): Promise<Connection> {
    let failure: unknown
    for (const address of [...this.#addresses.values(), ...this.#options.bootstrap]) {
      try {
        return await this.#connect(address)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  async #connect(address: Address): Promise<Connection> {
    const key = `${address.host}:${address.port}`
    const present = this.#connections.get(key)
    if (present !== undefined) {
      const connection = await present
      if (connection.isOpen) return connection
    }
    const opening = Connection.open(address, this.#options)
    this.#connections.set(key, opening)
    opening.catch(() => this.#connections.delete(key))
    return opening
  }
}

function viewOf(topic: MetadataAnswer['topics'][number]): TopicView {
  return {
    name: topic.name ?? '',
    topicId: topic.topicId,
    partitions: topic.partitions
      .map((partition) => ({
        partition: partition.partitionIndex,
        leader: partition.leaderId,
        leaderEpoch: partition.leaderEpoch,
        replicas: partition.replicaNodes,
        isr: partition.isrNodes,
      }))
      .sort((a, b) => a.partition - b.partition),
  }
}
