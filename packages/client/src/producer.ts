/**
 * An idempotent producer: batches by partition, one batch in flight for each partition, sequences kept over retries, so that a
 * record is written once and in order whatever happens on the way.
 */
import { kafkaErrors } from '@naru/model'
import { apis } from '@naru/protocol'
import { type CompressionType, encodeBatch, type Record as KafkaRecord } from '@naru/records'
import type { Cluster } from './cluster.ts'
import { checkAnswer, NaruError } from './errors.ts'
import { partitionForKey } from './partitioner.ts'

export interface ProducerOptions {
  readonly compression?: CompressionType
  /** How long records wait for company, in milliseconds. */
  readonly lingerMs?: number
  /** Size at which a batch is sent at once. */
  readonly batchBytes?: number
  /** Bytes that may wait to be sent; beyond that `send` rejects with NARU_OVERLOADED. */
  readonly bufferBytes?: number
  readonly acks?: 'all' | 'leader'
}

export interface NewRecord {
  readonly topic: string
  readonly partition?: number
  readonly key?: Buffer | string | null
  /** Null is a tombstone. */
  readonly value: Buffer | string | null
  readonly headers?: Readonly<Record<string, Buffer | string>>
  readonly timestamp?: bigint
}

export interface Sent {
  readonly topic: string
  readonly partition: number
  readonly offset: bigint
}

interface Queued {
  readonly record: KafkaRecord
  readonly bytes: number
  resolve(sent: Sent): void
  reject(error: unknown): void
}

interface Lane {
  readonly topic: string
  readonly partition: number
  queued: Queued[]
  bytes: number
  nextSequence: number
  isSending: boolean
  isScheduled: boolean
}

const defaults = { lingerMs: 0, batchBytes: 256 << 10, bufferBytes: 32 << 20 }
const timeoutMs = 30_000

export class Producer implements AsyncDisposable {
  readonly #cluster: Cluster
  readonly #options: ProducerOptions
  readonly #lanes = new Map<string, Lane>()
  #identity: Promise<{ producerId: bigint; producerEpoch: number }> | undefined
  #bytes = 0
  #turn = 0
  #flushed: (() => void)[] = []

  constructor(cluster: Cluster, options: ProducerOptions = {}) {
    this.#cluster = cluster
    this.#options = options
  }

  /** Resolves when the record is acknowledged. */
  async send(record: NewRecord): Promise<Sent> {
    const view = await this.#cluster.topic(record.topic, { create: true })
    const stored = toRecord(record, this.#cluster.clock.now())
    const partition = record.partition ?? this.#choose(stored.key, view.partitions.length)
    if (partition < 0 || partition >= view.partitions.length) {
      const message = `Topic ${record.topic} has no partition ${partition}, only ${view.partitions.length}`
      throw new NaruError('NARU_BROKER', message, { kafka: kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION })
    }
    const bytes = sizeOf(stored)
    if (this.#bytes + bytes > (this.#options.bufferBytes ?? defaults.bufferBytes)) {
      const message = `${this.#bytes} bytes wait to be sent, and the record has ${bytes}`
      throw new NaruError('NARU_OVERLOADED', message, { reason: 'OVERLOADED' })
    }
    this.#bytes += bytes
    const lane = this.#lane(record.topic, partition)
    return new Promise((resolve, reject) => {
      lane.queued.push({ record: stored, bytes, resolve, reject })
      lane.bytes += bytes
      this.#schedule(lane)
    })
  }

  /** Resolves when everything that was handed to `send` is acknowledged or has failed. */
  flush(): Promise<void> {
    if (this.#bytes === 0) return Promise.resolve()
    return new Promise((resolve) => this.#flushed.push(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush()
  }

  /** Keys decide; records without one stay together for a batch, then move on. */
  #choose(key: Buffer | null, partitions: number): number {
    return key === null ? this.#turn % partitions : partitionForKey(key, partitions)
  }

  #lane(topic: string, partition: number): Lane {
    const key = `${topic}-${partition}`
    let lane = this.#lanes.get(key)
    if (lane === undefined) {
      const empty = { queued: [], bytes: 0, nextSequence: 0, isSending: false, isScheduled: false }
      lane = { topic, partition, ...empty }
      this.#lanes.set(key, lane)
    }
    return lane
  }

  #schedule(lane: Lane): void {
    if (lane.isSending || lane.isScheduled) return
    lane.isScheduled = true
    const start = () => {
      lane.isScheduled = false
      void this.#drain(lane)
    }
    const { lingerMs = defaults.lingerMs, batchBytes = defaults.batchBytes } = this.#options
    if (lingerMs > 0 && lane.bytes < batchBytes) this.#cluster.clock.setTimer(lingerMs, start)
    else this.#cluster.clock.afterTurn(start)
  }

  /** Sends one batch after the other until nothing waits. Failures reach the senders, never this promise. */
  async #drain(lane: Lane): Promise<void> {
    if (lane.isSending) return
    lane.isSending = true
    while (lane.queued.length > 0) {
      const batch = this.#take(lane)
      this.#turn++
      await this.#deliver(lane, batch)
      for (const { bytes } of batch) this.#bytes -= bytes
    }
    lane.isSending = false
    if (this.#bytes > 0) return
    for (const resolve of this.#flushed.splice(0)) resolve()
  }

  /** A batch that the topic finds too large is halved until it fits, or one record is left that does not. */
  async #deliver(lane: Lane, batch: readonly Queued[]): Promise<void> {
    const { topic, partition } = lane
    try {
      const baseOffset = await this.#write(lane, batch)
      for (const [index, { resolve }] of batch.entries()) {
        resolve({ topic, partition, offset: baseOffset + BigInt(index) })
      }
    } catch (error) {
      if (isTooLarge(error) && batch.length > 1) {
        const half = batch.length >> 1
        await this.#deliver(lane, batch.slice(0, half))
        return this.#deliver(lane, batch.slice(half))
      }
      // Sequences after a failure are unknown to both sides: a new identity starts from the beginning.
      this.#identity = undefined
      for (const other of this.#lanes.values()) other.nextSequence = 0
      for (const { reject } of batch) reject(error)
    }
  }

  #take(lane: Lane): Queued[] {
    const limit = this.#options.batchBytes ?? defaults.batchBytes
    let bytes = 0
    let count = 0
    while (count < lane.queued.length) {
      bytes += (lane.queued[count] as Queued).bytes
      if (count > 0 && bytes > limit) break
      count++
    }
    const taken = lane.queued.splice(0, count)
    for (const { bytes: size } of taken) lane.bytes -= size
    return taken
  }

  async #write(lane: Lane, batch: readonly Queued[]): Promise<bigint> {
    this.#identity ??= this.#initialise()
    const { producerId, producerEpoch } = await this.#identity
    const bytes = encodeBatch(
      batch.map(({ record }) => record),
      {
        compression: this.#options.compression ?? 'none',
        producerId,
        producerEpoch,
        baseSequence: lane.nextSequence,
      },
    )
    const offset = await this.#cluster.retry((tries) => this.#sendOnce(lane, bytes, tries))
    lane.nextSequence = (lane.nextSequence + batch.length) % 0x80000000
    return offset
  }

  async #sendOnce(lane: Lane, records: Buffer, tries: number): Promise<bigint> {
    const { topic, partition } = lane
    const isStale = tries > 0
    const connection = await this.#cluster.leader(topic, partition, { isStale })
    const { topicId } = await this.#cluster.topic(topic)
    const answer = await connection.request(apis.produce, {
      transactionalId: null,
      acks: this.#options.acks === 'leader' ? 1 : -1,
      timeoutMs,
      topicData: [{ name: topic, topicId, partitionData: [{ index: partition, records }] }],
    })
    const result = answer.responses[0]?.partitionResponses[0]
    const what = `write to ${topic}/${partition}`
    const said = { message: result?.errorMessage, at: connection.address }
    checkAnswer(result?.errorCode ?? -1, what, said)
    return result?.baseOffset ?? -1n
  }

  async #initialise(): Promise<{ producerId: bigint; producerEpoch: number }> {
    return this.#cluster.retry(async () => {
      const answer = await this.#cluster.any(apis.initProducerId, {
        transactionalId: null,
        transactionTimeoutMs: 60_000,
        producerId: -1n,
        producerEpoch: -1,
      })
      checkAnswer(answer.errorCode, 'get a producer id')
      return answer
    })
  }
}

function isTooLarge(error: unknown): boolean {
  if (!NaruError.is(error, 'NARU_BROKER')) return false
  const { MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE } = kafkaErrors
  return error.kafka === MESSAGE_TOO_LARGE || error.kafka === RECORD_LIST_TOO_LARGE
}

function toRecord(record: NewRecord, nowMs: number): KafkaRecord {
  const headers = Object.entries(record.headers ?? {}).map(([key, value]) => ({
    key,
    value: Buffer.from(value),
  }))
  return {
    key: record.key === undefined || record.key === null ? null : Buffer.from(record.key),
    value: record.value === null ? null : Buffer.from(record.value),
    headers,
    timestamp: record.timestamp ?? BigInt(nowMs),
  }
}

/** An upper bound of what the record takes in a batch. */
function sizeOf({ key, value, headers }: KafkaRecord): number {
  let bytes = 32 + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) bytes += 8 + header.key.length * 3 + (header.value?.length ?? 0)
  return bytes
}
