/**
 * A producer of one partition that numbers its records, sends as Kafka's does (idempotent, up to five batches in flight, one while
 * something is sent again), and holds the cluster to what it was told.
 */
import { type KafkaError, kafkaErrors } from '@naru/model'
import { encodeBatch } from '@naru/records'
import { type Acks, type ProduceResult, produce } from '@naru/services'
import { mustHold } from '../raft/raft-history.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { LeaderGuess, type PartitionName } from './leader-guess.ts'
import type { ReplicationWorld } from './replication-world.ts'

interface Batch {
  readonly first: number
  readonly count: number
  isSent: boolean
  wasRetried: boolean
}

export interface ProducerOptions {
  readonly id: number
  readonly acks: Acks
  readonly isIdempotent: boolean
  readonly inFlightMax: number
}

const retriable: ReadonlySet<KafkaError> = new Set([
  kafkaErrors.NOT_LEADER_OR_FOLLOWER,
  kafkaErrors.NOT_ENOUGH_REPLICAS,
  kafkaErrors.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  kafkaErrors.REQUEST_TIMED_OUT,
  kafkaErrors.KAFKA_STORAGE_ERROR,
  kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION,
])
const requestMs = 500
const answerMs = 800
const pauseMs = 20

export class SimulatedProducer {
  readonly options: ProducerOptions
  readonly name: PartitionName
  readonly #world: ReplicationWorld
  readonly #random: SeededRandom
  readonly #guess: LeaderGuess
  /** Oldest first. */
  #pending: Batch[] = []
  #next = 0
  #isPausing = false
  #isRetrying = false
  acknowledged = 0

  constructor(
    world: ReplicationWorld,
    random: SeededRandom,
    target: { readonly name: PartitionName; readonly options: ProducerOptions },
  ) {
    this.#world = world
    this.#random = random
    this.name = target.name
    this.options = target.options
    this.#guess = new LeaderGuess(world, random, target.name)
  }

  get isIdle(): boolean {
    return this.#pending.length === 0
  }

  get sent(): number {
    return this.#next
  }

  /** Makes records, and sends what may be sent. */
  produce(): void {
    const count = 1 + this.#random.below(3)
    if (this.#pending.length >= this.options.inFlightMax) return
    this.#pending.push({ first: this.#next, count, isSent: false, wasRetried: false })
    this.#next += count
    this.#send()
  }

  /** The partition is gone: nobody will answer. */
  abandon(): void {
    this.#pending = []
    this.#guess.forget()
  }

  #send(): void {
    if (this.#isPausing) return
    for (const batch of this.#pending) {
      const isFirst = batch === this.#pending[0]
      // Until a leader knows of the producer it takes any of its batches for the first.
      if ((this.#isRetrying || this.acknowledged === 0) && !isFirst) return
      if (batch.isSent) continue
      const { connection } = this.#guess
      if (connection === undefined) {
        this.#pause()
        return
      }
      batch.isSent = true
      const { acks } = this.options
      connection.ask<ProduceResult>(
        answerMs,
        ({ partitions }, _, done) => {
          const { topic, topicId, partition } = this.name
          const host = partitions?.leading(topic, partition)
          if (host === undefined || !('append' in host)) return done(failure(host))
          if (host.topicId !== topicId) return done(failure(undefined))
          const request = { produceVersion: 9, acks, timeoutMs: requestMs }
          produce(host, { ...request, bytes: this.#encode(batch) }, done)
        },
        (result) => this.#answered(batch, result),
      )
    }
  }

  #encode({ first, count }: Batch): Buffer {
    const { id, isIdempotent } = this.options
    const timestamp = 1_700_000_000_000n
    const records = Array.from({ length: count }, (_, at) => {
      const padding = 'x'.repeat(((first + at) * 37) % 300)
      const value = Buffer.from(`${id}:${first + at}:${padding}`)
      return { key: null, value, headers: [], timestamp }
    })
    return encodeBatch(
      records,
      isIdempotent ? { producerId: BigInt(id), producerEpoch: 0, baseSequence: first } : {},
    )
  }

  #answered(batch: Batch, result: ProduceResult | undefined): void {
    if (!this.#pending.includes(batch)) return
    batch.isSent = false
    if (result?.error === kafkaErrors.NONE) {
      this.#acknowledged(batch, result.baseOffset)
      return
    }
    if (result === undefined || result.error !== kafkaErrors.OUT_OF_ORDER_SEQUENCE_NUMBER) {
      this.#guess.forget()
    }
    const isForgotten = result !== undefined && this.#isForgotten(batch, result.error)
    if (result !== undefined && !isForgotten) this.#check(batch, result.error)
    if (!this.options.isIdempotent || isForgotten) {
      // What became of it nobody knows; sent again it would be twice there.
      if (result === undefined) this.#world.history.unanswered(this.options.id, batch)
      this.#pending = this.#pending.filter((each) => each !== batch)
      this.#pause()
      return
    }
    batch.wasRetried = true
    this.#isRetrying = true
    this.#pause()
  }

  #acknowledged(batch: Batch, baseOffset: bigint): void {
    const { topicId, partition } = this.name
    const { id, acks } = this.options
    this.#pending = this.#pending.filter((each) => each !== batch)
    this.acknowledged += batch.count
    if (acks === -1) {
      this.#world.history.acknowledged(topicId, partition, {
        baseOffset,
        producer: id,
        first: batch.first,
        count: batch.count,
      })
    }
    if (this.#pending.every(({ wasRetried }) => !wasRetried)) this.#isRetrying = false
    this.#send()
  }

  /**
   * It was written, not answered, and deleted; a replica that began behind it knows of what follows alone. Sent again it is refused, and a
   * client can only give it up, or begin anew (KIP-360).
   */
  #isForgotten({ first }: Batch, error: KafkaError): boolean {
    const { topicId, partition } = this.name
    const { isIdempotent, id } = this.options
    if (!isIdempotent || error !== kafkaErrors.OUT_OF_ORDER_SEQUENCE_NUMBER) return false
    return this.#world.promises.committedOf(topicId, partition).isDeleted(BigInt(id), first)
  }

  /** Nothing that a producer does right is refused for good. */
  #check(batch: Batch, error: KafkaError): void {
    const { isIdempotent, id } = this.options
    const isOldest = batch === this.#pending[0]
    const isBehind = error === kafkaErrors.OUT_OF_ORDER_SEQUENCE_NUMBER && !isOldest
    mustHold(
      isBehind || retriable.has(error),
      'a producer is refused nothing for good',
      () => `${id}, idempotent ${isIdempotent}, oldest ${isOldest}: ${batch.first} ${error.name}`,
    )
  }

  #pause(): void {
    if (this.#isPausing) return
    this.#isPausing = true
    this.#world.clock.setTimer(pauseMs * (0.5 + this.#random.below(100) / 100), () => {
      this.#isPausing = false
      this.#send()
    })
  }
}

function failure(found: object | undefined): ProduceResult {
  const error = (found as KafkaError | undefined) ?? kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
  return { error, message: '', baseOffset: -1n, logAppendTimeMs: -1n, logStartOffset: -1n }
}
