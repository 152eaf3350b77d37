/**
 * The shell of one partition: feeds the leader's core with what clients send and what the log confirms, and wakes those who
 * wait. It takes one input at a time, so there is nothing to lock.
 */
import type { Clock } from '@naru/base'
import {
  batchAt,
  batchForTimestamp,
  type Log,
  type LogDirectory,
  LogDirectoryError,
  offsetOfMaxTimestamp,
} from '@naru/log'
import {
  isInternalTopic,
  type KafkaError,
  kafkaErrors,
  type TopicConfig,
  type TopicId,
} from '@naru/model'
import { PartitionLeader } from '@naru/partition'
import {
  assignCreateTime,
  assignLogAppendTime,
  assignOffset,
  type BatchHeader,
  type BatchRefusal,
  type CompressionType,
  firstRecordSince,
  hasLogAppendTime,
  isTransactional,
  newestRecord,
  readBatchHeader,
  recompressBatch,
  type StoredRecord,
  tooLarge,
  validateBatch,
} from '@naru/records'
import { PartitionState } from './partition-state.ts'

export type Refused = BatchRefusal

export interface Appended {
  readonly baseOffset: bigint
  /** The high watermark that acknowledges it. */
  readonly endOffset: bigint
  /** -1 unless the topic stamps records itself, or the batch was there before: then its largest timestamp. */
  readonly logAppendTimeMs: bigint
}

export interface FoundOffset {
  readonly offset: bigint
  readonly timestamp: bigint
  readonly leaderEpoch: number
}

const notFound: FoundOffset = { offset: -1n, timestamp: -1n, leaderEpoch: -1 }

export class PartitionHost {
  readonly topic: string
  readonly topicId: TopicId
  readonly partition: number
  readonly log: Log
  readonly directory: LogDirectory
  readonly #clock: Clock
  readonly #state = new PartitionState()
  /** -1 while this broker does not lead. */
  #leaderEpoch = -1
  config: TopicConfig
  #leader: PartitionLeader | undefined
  #opening: Promise<void> | undefined
  /** Ascending by offset: offsets are given out in that order. */
  #appendWaiters: { endOffset: bigint; done: (error: KafkaError | undefined) => void }[] = []
  readonly #watchers = new Set<() => void>()

  constructor(options: {
    topic: string
    topicId: TopicId
    partition: number
    log: Log
    directory: LogDirectory
    clock: Clock
    config: TopicConfig
  }) {
    this.topic = options.topic
    this.topicId = options.topicId
    this.partition = options.partition
    this.log = options.log
    this.directory = options.directory
    this.config = options.config
    this.#clock = options.clock
    options.log.onConfirmed = () => this.#confirmed()
  }

  /** The core, once the log is loaded: idle partitions cost neither memory nor a read at the start. */
  get leader(): PartitionLeader | undefined {
    return this.#leader
  }

  get isOnline(): boolean {
    return this.directory.offline === undefined
  }

  get isLeading(): boolean {
    return this.#leaderEpoch >= 0
  }

  /** This broker leads the partition from now on, in that epoch. */
  lead(leaderEpoch: number): void {
    if (leaderEpoch <= this.#leaderEpoch) return
    this.#leaderEpoch = leaderEpoch
    if (this.#leader !== undefined) this.#activate()
  }

  /** Somebody else leads it, or nobody: who waits for an acknowledgement is told. */
  resign(): void {
    if (!this.isLeading) return
    this.#leaderEpoch = -1
    this.fail(kafkaErrors.NOT_LEADER_OR_FOLLOWER)
  }

  /** Loads the log, once: the first append or read of a partition waits for it. A log that cannot be loaded stays so until a restart. */
  async open(): Promise<PartitionLeader> {
    if (this.#leader !== undefined) return this.#leader
    this.#opening ??= this.#load()
    await this.#opening
    return this.#leader as unknown as PartitionLeader
  }

  /** Validates and appends one batch; the caller waits for `endOffset`. Offsets are assigned in the order of calls. */
  append(bytes: Buffer, produceVersion: number): Appended | Refused {
    const leader = this.#leader as PartitionLeader
    if (!this.isOnline) return refused(kafkaErrors.KAFKA_STORAGE_ERROR, this.#offlineReason)
    if (!this.isLeading) return refused(kafkaErrors.NOT_LEADER_OR_FOLLOWER, 'It leads no more')
    const nowMs = this.#clock.now()
    const validation = validateBatch(bytes, {
      produceVersion,
      maxMessageBytes: this.config.maxMessageBytes,
      needsKeys: false,
      timestamps: this.config.hasLogAppendTime
        ? undefined
        : {
            nowMs: BigInt(nowMs),
            beforeMaxMs: this.config.timestampBeforeMaxMs,
            afterMaxMs: this.config.timestampAfterMaxMs,
          },
    })
    if (validation.refusal !== undefined) return validation.refusal
    if (isInternalTopic(this.topic)) {
      const message = `Only brokers write to ${this.topic}`
      return refused(kafkaErrors.INVALID_TOPIC_EXCEPTION, message)
    }
    if (isTransactional(validation.header.attributes)) {
      const message = 'Transactions are not supported by this version'
      return refused(kafkaErrors.UNSUPPORTED_VERSION, message)
    }
    const verdict = this.#state.producers.check(validation.header)
    if (verdict.kind === 'refuse') return refused(verdict.error, verdict.message)
    if (verdict.kind === 'duplicate') {
      const { baseOffset, lastOffset, timestamp } = verdict.of
      return { baseOffset, endOffset: lastOffset + 1n, logAppendTimeMs: timestamp }
    }
    const { header, newestTimestamp } = validation
    const isTruthful =
      header.maxTimestamp === newestTimestamp && !hasLogAppendTime(header.attributes)
    if (!isTruthful) assignCreateTime(bytes, 0, bytes.length, newestTimestamp)
    return this.#write(leader, bytes, nowMs)
  }

  /** Calls `done` when everything below `endOffset` is acknowledged, or with the error that prevents it. */
  whenAcknowledged(endOffset: bigint, done: (error: KafkaError | undefined) => void): void {
    if (!this.isOnline) done(kafkaErrors.KAFKA_STORAGE_ERROR)
    else if ((this.#leader as PartitionLeader).highWatermark >= endOffset) done(undefined)
    else this.#appendWaiters.push({ endOffset, done })
  }

  /** Calls back whenever the high watermark moves, until the returned function is called. */
  watch(callback: () => void): () => void {
    this.#watchers.add(callback)
    return () => this.#watchers.delete(callback)
  }

  /** The first record at or after a timestamp that is not deleted and not beyond `upTo`. */
  async offsetForTimestamp(timestamp: bigint, upTo: bigint): Promise<FoundOffset> {
    const leader = await this.open()
    let from = leader.logStartOffset
    for (;;) {
      const batch = await batchForTimestamp(this.log, { timestamp, from, upTo })
      if (batch === undefined) return notFound
      const record = firstRecordSince(batch, { timestamp, offset: from })
      if (record !== undefined) return found(batch, record)
      // The log begins within that batch, behind the record that it was found for.
      from = readBatchHeader(batch).lastOffset + 1n
    }
  }

  /** The record with the largest timestamp (KIP-734), of all that was appended when it is asked for. */
  async offsetOfMaxTimestamp(): Promise<FoundOffset> {
    const leader = await this.open()
    const newest = await offsetOfMaxTimestamp(this.log)
    if (newest === undefined) return notFound
    // It may still be on its way to the disk.
    const failed = await new Promise<KafkaError | undefined>((resolve) =>
      this.whenAcknowledged(leader.logEndOffset, resolve),
    )
    const batch = failed === undefined ? await batchAt(this.log, newest) : undefined
    const record = batch === undefined ? undefined : newestRecord(batch)
    return batch === undefined || record === undefined ? notFound : found(batch, record)
  }

  /** The epoch that holds `offset`; -1 when it is not known. */
  epochOf(offset: bigint): number {
    return this.#state.epochs.epochOf(offset) ?? -1
  }

  /** Where the largest epoch at or below `leaderEpoch` ends (KIP-320). */
  async endOfEpoch(leaderEpoch: number): Promise<{ epoch: number; endOffset: bigint }> {
    const leader = await this.open()
    const known = this.#state.epochs.endOffsetOf(leaderEpoch, leader.logEndOffset)
    return known ?? { epoch: -1, endOffset: -1n }
  }

  /** Deletes what lies below `offset` (KIP-107); gives the new start of the log. */
  async deleteRecords(offset: bigint): Promise<bigint | KafkaError> {
    const leader = await this.open()
    const target = leader.deletionTarget(offset)
    if (typeof target !== 'bigint') return target
    await this.moveStart(target)
    return leader.logStartOffset
  }

  async moveStart(offset: bigint): Promise<void> {
    const leader = await this.open()
    if (offset <= leader.logStartOffset) return
    await this.directory.moveStart(this.log, offset)
    leader.startMoved(offset)
    this.#state.epochs.truncateStart(offset)
  }

  /** Idempotent producers that this partition remembers. */
  async producers(): Promise<PartitionState['producers']> {
    await this.open()
    return this.#state.producers
  }

  expireProducers(expirationMs: number): void {
    this.#state.producers.expire(BigInt(this.#clock.now()), BigInt(expirationMs))
  }

  /** The log directory failed, or the partition is deleted or led by another: nobody who waits will be acknowledged. */
  fail(error: KafkaError): void {
    const waiters = this.#appendWaiters
    this.#appendWaiters = []
    for (const { done } of waiters) done(error)
    for (const watcher of [...this.#watchers]) watcher()
  }

  async #load(): Promise<void> {
    await this.directory.load(this.log, this.#state)
    this.#activate()
  }

  #activate(): void {
    this.#leader = new PartitionLeader(this.#leaderEpoch, {
      logStartOffset: this.log.logStartOffset,
      highWatermark: this.log.confirmedOffset,
      logEndOffset: this.log.logEndOffset,
    })
    // A leader's epoch begins where its log ends, also when nothing is written in it.
    if (this.isLeading) this.#state.epochs.assign(this.#leaderEpoch, this.log.logEndOffset)
  }

  #write(leader: PartitionLeader, bytes: Buffer, nowMs: number): Appended | Refused {
    const {
      compressionType,
      hasLogAppendTime: isStamped,
      maxMessageBytes,
      segmentBytes,
    } = this.config
    const batch =
      compressionType === 'producer' ? bytes : recompressBatch(bytes, codecNamed(compressionType))
    // In another codec it may be larger than what came.
    if (batch.length > maxMessageBytes) return tooLarge(batch.length, maxMessageBytes)
    if (batch.length > segmentBytes) {
      const message = `The batch has ${batch.length} bytes: segment.bytes is ${segmentBytes}`
      return refused(kafkaErrors.RECORD_LIST_TOO_LARGE, message)
    }
    const baseOffset = leader.logEndOffset
    assignOffset(batch, 0, { baseOffset, leaderEpoch: leader.leaderEpoch })
    if (isStamped) assignLogAppendTime(batch, 0, batch.length, BigInt(nowMs))
    const header: BatchHeader = readBatchHeader(batch)
    this.log.append(batch, header, nowMs)
    this.#state.replay(header)
    const endOffset = header.lastOffset + 1n
    leader.appended(endOffset)
    return { baseOffset, endOffset, logAppendTimeMs: isStamped ? BigInt(nowMs) : -1n }
  }

  #confirmed(): void {
    const leader = this.#leader
    if (leader === undefined || !leader.confirmed(this.log.confirmedOffset)) return
    const waiters = this.#appendWaiters
    let count = 0
    while (count < waiters.length) {
      const waiter = waiters[count] as (typeof waiters)[number]
      if (waiter.endOffset > leader.highWatermark) break
      waiter.done(undefined)
      count++
    }
    if (count > 0) waiters.splice(0, count)
    for (const watcher of [...this.#watchers]) watcher()
  }

  get #offlineReason(): string {
    return this.directory.offline?.message ?? ''
  }
}

function found(batch: Buffer, { offset, timestamp }: StoredRecord): FoundOffset {
  return { offset, timestamp, leaderEpoch: readBatchHeader(batch).leaderEpoch }
}

function refused(error: KafkaError, message: string): Refused {
  return { error, message }
}

function codecNamed(compressionType: string): CompressionType {
  return compressionType === 'uncompressed' ? 'none' : (compressionType as CompressionType)
}

/** What a failed disk looks like to a client. */
export function storageError(error: unknown): KafkaError {
  if (error instanceof LogDirectoryError) return kafkaErrors.KAFKA_STORAGE_ERROR
  throw error
}
