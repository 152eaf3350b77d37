/**
 * The shell of one partition: makes its replica here what the metadata says, a leader, a follower or neither, and answers what
 * clients ask of it. It takes one input at a time, so there is nothing to lock.
 */
import type { Clock, Logger } from '@naru/base'
import { batchAt, type Log, type LogDirectory, offsetOfMaxTimestamp } from '@naru/log'
import {
  type KafkaError,
  kafkaErrors,
  type NodeId,
  type TopicConfig,
  type TopicId,
} from '@naru/model'
import {
  type BrokersView,
  PartitionFollower,
  PartitionLeader,
  type PartitionRegistration,
} from '@naru/partition'
import {
  assignLogAppendTime,
  assignOffset,
  type BatchRefusal,
  newestRecord,
  readBatchHeader,
} from '@naru/records'
import {
  FollowingReplica,
  LeadingReplica,
  type RecentBytes,
  type WaitOver,
} from '@naru/replication'
import { PartitionState } from './partition-state.ts'
import { judgeProduced } from './produced-batch.ts'
import type { ReadableReplica } from './readable-replica.ts'
import { storageError } from './storage-error.ts'
import { type FoundOffset, foundIn, notFound, recordSince } from './timestamp-lookup.ts'

export type Refused = BatchRefusal

export interface Appended {
  readonly baseOffset: bigint
  /** The high watermark that acknowledges it. */
  readonly endOffset: bigint
  /** -1 unless the topic stamps records itself, or the batch was there before: then its largest timestamp. */
  readonly logAppendTimeMs: bigint
}

/** What a producer waits for: nothing, the leader's log, or all in-sync replicas. */
export type Acks = 0 | 1 | -1

/** What the metadata says of the partition. */
export interface PartitionAssignment extends PartitionRegistration {
  readonly leader: NodeId
}

/** What replicas of this broker share. */
export interface ReplicaSurroundings {
  readonly nodeId: NodeId
  readonly clock: Clock
  readonly logger: Logger
  readonly brokers: BrokersView
  /** `replica.lag.time.max.ms` */
  readonly lagMsMax: number
  readonly recentBytes: RecentBytes
  follow(replica: FollowingReplica): void
  unfollow(replica: FollowingReplica): void
  /** The partition has begun to lead, or leads for others than before. */
  onLeading(): void
  /** The controller is to be asked for another in-sync set. */
  onProposalDue(host: PartitionHost): void
  /** The replica was found damaged. */
  onDamaged(host: PartitionHost): void
  /** Settings of brokers have changed. */
  onBrokerSettings(): void
}

export class PartitionHost {
  readonly topic: string
  readonly topicId: TopicId
  readonly partition: number
  readonly log: Log
  readonly directory: LogDirectory
  config: TopicConfig
  readonly #around: ReplicaSurroundings
  readonly #state = new PartitionState()
  #assignment: PartitionAssignment | undefined
  #leading: LeadingReplica | undefined
  #following: FollowingReplica | undefined
  /** Known to be committed: carried from one role to the next. */
  #highWatermark: bigint
  #isLoaded = false
  /** It takes no role before it is known what becomes of what was found damaged; one that it has it keeps. */
  #isWithdrawn = false
  /** It is damaged, and stays in use for want of a better one. */
  #isKept = false
  #isRemoved = false
  #opening: Promise<void> | undefined
  readonly #watchers = new Set<() => void>()

  constructor(options: {
    topic: string
    topicId: TopicId
    partition: number
    log: Log
    directory: LogDirectory
    config: TopicConfig
    around: ReplicaSurroundings
  }) {
    this.topic = options.topic
    this.topicId = options.topicId
    this.partition = options.partition
    this.log = options.log
    this.directory = options.directory
    this.config = options.config
    this.#around = options.around
    this.#highWatermark = options.log.logStartOffset
    options.log.onCorrupt = () => this.#around.onDamaged(this)
    options.log.onConfirmed = () => (this.#leading ?? this.#following)?.confirmed()
  }

  /** The core, once the log is loaded: idle partitions cost neither memory nor a read at the start. */
  get leader(): PartitionLeader | undefined {
    return this.#leading?.core
  }

  get leading(): LeadingReplica | undefined {
    return this.#leading
  }

  get isOnline(): boolean {
    return this.directory.offline === undefined
  }

  /** As the metadata says; the log may not be loaded yet. */
  get isLeading(): boolean {
    return this.#assignment?.leader === this.#around.nodeId
  }

  /** What may be read here, be it only by a client that knows of followers (KIP-392); else what a client is told. */
  readable({ ofFollowers }: { ofFollowers: boolean }): ReadableReplica | KafkaError {
    if (!this.isOnline) return kafkaErrors.KAFKA_STORAGE_ERROR
    if (this.isLeading) return this.#readableLeader ?? kafkaErrors.KAFKA_STORAGE_ERROR
    const following = this.#following
    const isFollowing = following !== undefined && !following.isOver
    if (!ofFollowers || !isFollowing) return kafkaErrors.NOT_LEADER_OR_FOLLOWER
    return this.#readableFollower(following)
  }

  /** It was found damaged: it follows no more, and takes no other role for now. */
  withdraw(): void {
    this.#isWithdrawn = true
    this.#endFollowing()
  }

  /** Damaged or not, there is nothing better: it goes on. */
  keep(): void {
    this.#isWithdrawn = false
    this.#isKept = true
    this.#become()
  }

  /** What a client is told when it cannot be read. */
  failureOf(error: unknown): KafkaError {
    return storageError(error, { isLasting: this.#isKept })
  }

  /** What the metadata says from now on; who waits for an acknowledgement that will not come is told. */
  assume(assignment: PartitionAssignment): void {
    this.#assignment = assignment
    this.#reconsider(assignment)
    const { leader, leaderEpoch } = assignment
    const leading = this.#leading
    if (leading !== undefined && this.isLeading && leading.core.leaderEpoch === leaderEpoch) {
      leading.adopt(assignment)
      this.#around.onLeading()
      return
    }
    this.#endLeading(kafkaErrors.NOT_LEADER_OR_FOLLOWER)
    const followed = this.#following?.core
    if (followed?.leader !== leader || followed.leaderEpoch !== leaderEpoch) this.#endFollowing()
    this.#become()
    this.#throttle()
  }

  /** Loads the log, once: the first append or read of a partition waits for it. A log that cannot be loaded stays so until a restart. */
  async open(): Promise<PartitionLeader | undefined> {
    this.#opening ??= this.#load()
    await this.#opening
    // A log that was being cut when the partition came to lead is left alone first.
    await this.#following?.changing
    return this.#leading?.core
  }

  /** Validates and appends one batch; the caller waits for `endOffset`. Offsets are assigned in the order of calls. */
  append(
    bytes: Buffer,
    { produceVersion, acks }: { produceVersion: number; acks: Acks },
  ): Appended | Refused {
    const leading = this.#leading
    if (!this.isOnline) return refused(kafkaErrors.KAFKA_STORAGE_ERROR, this.#offlineReason)
    if (leading === undefined) {
      return refused(kafkaErrors.NOT_LEADER_OR_FOLLOWER, 'It leads no more')
    }
    if (acks === -1 && !leading.core.hasEnoughInSync) {
      const { members } = leading.core.inSync
      const message = `In sync are ${members.length}: min.insync.replicas is ${leading.core.registration.minIsr}`
      return refused(kafkaErrors.NOT_ENOUGH_REPLICAS, message)
    }
    const nowMs = this.#around.clock.now()
    const { topic, config } = this
    const { producers } = this.#state
    const judged = judgeProduced(bytes, { topic, config, producers }, { produceVersion, nowMs })
    if (judged.kind === 'refuse') return judged.refusal
    if (judged.kind === 'append') return this.#write(leading, judged.batch, nowMs)
    const { baseOffset, lastOffset, timestamp } = judged.of
    return { baseOffset, endOffset: lastOffset + 1n, logAppendTimeMs: timestamp }
  }

  /** Calls `done` when everything below `endOffset` is acknowledged, or with the error that prevents it. */
  whenAcknowledged(
    endOffset: bigint,
    { acks, timeoutMs }: { acks: 1 | -1; timeoutMs: number },
    done: WaitOver,
  ): void {
    const leading = this.#leading
    if (!this.isOnline) done(kafkaErrors.KAFKA_STORAGE_ERROR)
    else if (leading === undefined) done(kafkaErrors.NOT_LEADER_OR_FOLLOWER)
    else if (acks === 1) leading.whenWritten(endOffset, timeoutMs, done)
    else leading.whenCommitted(endOffset, timeoutMs, done)
  }

  /** Calls back whenever the high watermark moves, until the returned function is called. */
  watch(callback: () => void): () => void {
    this.#watchers.add(callback)
    return () => this.#watchers.delete(callback)
  }

  /** The first record at or after a timestamp that is not deleted and not beyond `upTo`. */
  offsetForTimestamp(timestamp: bigint, upTo: bigint): Promise<FoundOffset> {
    return recordSince(this.log, timestamp, upTo)
  }

  /** The record with the largest timestamp (KIP-734), of all that was appended when it is asked for. */
  async offsetOfMaxTimestamp(timeoutMs: number): Promise<FoundOffset> {
    const newest = await offsetOfMaxTimestamp(this.log)
    if (newest === undefined) return notFound
    // It may still be on its way to the disks.
    const endOffset = this.log.logEndOffset
    const failed = await new Promise<KafkaError | undefined>((resolve) =>
      this.whenAcknowledged(endOffset, { acks: -1, timeoutMs }, resolve),
    )
    const batch = failed === undefined ? await batchAt(this.log, newest) : undefined
    const record = batch === undefined ? undefined : newestRecord(batch)
    return batch === undefined || record === undefined ? notFound : foundIn(batch, record)
  }

  /** The epoch that holds `offset`; -1 when it is not known. */
  epochOf(offset: bigint): number {
    return this.#state.epochs.epochOf(offset) ?? -1
  }

  /** How far this replica goes, whatever its role. */
  async logEnd(): Promise<{ lastEpoch: number; logEndOffset: bigint }> {
    await this.open()
    const { logEndOffset } = this.log
    return { lastEpoch: this.epochOf(logEndOffset - 1n), logEndOffset }
  }

  /** Where the largest epoch at or below `leaderEpoch` ends (KIP-320). */
  endOfEpoch(leaderEpoch: number): { epoch: number; endOffset: bigint } {
    const known = this.#state.epochs.endOffsetOf(leaderEpoch, this.log.logEndOffset)
    return known ?? { epoch: -1, endOffset: -1n }
  }

  /** Deletes what lies below `offset` (KIP-107); gives the new start of the log. */
  async deleteRecords(offset: bigint): Promise<bigint | KafkaError> {
    const leader = await this.open()
    if (leader === undefined) return kafkaErrors.NOT_LEADER_OR_FOLLOWER
    const target = leader.deletionTarget(offset)
    if (typeof target !== 'bigint') return target
    await this.moveStart(target)
    return leader.logStartOffset
  }

  /** Does nothing unless this replica leads: followers take over their leader's start. */
  async moveStart(offset: bigint): Promise<void> {
    const leading = this.#leading
    if (leading === undefined) return
    // Also where it begins there already: an earlier role may have begun that, and a crash would undo it yet.
    await this.directory.moveStart(this.log, offset)
    leading.startMoved(offset)
    this.#state.epochs.truncateStart(offset)
  }

  /** Idempotent producers that this partition remembers. */
  async producers(): Promise<PartitionState['producers']> {
    await this.open()
    return this.#state.producers
  }

  expireProducers(expirationMs: number): void {
    this.#state.producers.expire(BigInt(this.#around.clock.now()), BigInt(expirationMs))
  }

  /** The settings of the topic have changed, and the log writes by them. */
  configured(): void {
    this.#throttle()
    // What was written before counts for more or less from now on, and perhaps nothing follows that would say so.
    ;(this.#leading ?? this.#following)?.confirmed()
    this.#leading?.wantFlushed(this.config.flush === 'ack')
  }

  /** The replica is here no more, and takes no other role, although its log may be loaded only now, or still be under change. */
  remove(error: KafkaError): void {
    this.#isRemoved = true
    this.fail(error)
  }

  /** The log directory failed, or the replica is removed: nobody who waits will be acknowledged. */
  fail(error: KafkaError): void {
    this.#endLeading(error)
    this.#endFollowing()
    this.#wakeWatchers()
  }

  async #load(): Promise<void> {
    await this.directory.load(this.log, this.#state)
    this.#isLoaded = true
    this.#become()
  }

  get #readableLeader(): ReadableReplica | undefined {
    const core = this.#leading?.core
    if (core === undefined) return undefined
    return {
      isLeader: true,
      isSettled: true,
      logStartOffset: core.logStartOffset,
      highWatermark: core.highWatermark,
      lastStableOffset: core.lastStableOffset,
      logEndOffset: core.logEndOffset,
      checkEpoch: (epoch) => core.checkEpoch(epoch),
      endOfEpoch: (epoch) => this.endOfEpoch(epoch),
    }
  }

  /** One that may show nothing shows an empty log. */
  #readableFollower(following: FollowingReplica): ReadableReplica {
    const { core, isSettled, readableEnd, logStartOffset, logEndOffset } = following
    const highWatermark = within(readableEnd ?? logStartOffset, logStartOffset, logEndOffset)
    return {
      isLeader: false,
      isSettled,
      logStartOffset,
      highWatermark,
      lastStableOffset: highWatermark,
      logEndOffset,
      checkEpoch: (epoch) => core.checkEpoch(epoch),
      endOfEpoch: (leaderEpoch) => {
        const { epoch, endOffset } = this.endOfEpoch(leaderEpoch)
        return { epoch, endOffset: endOffset < highWatermark ? endOffset : highWatermark }
      },
    }
  }

  #endLeading(error: KafkaError): void {
    const leading = this.#leading
    if (leading === undefined) return
    this.#highWatermark = leading.core.highWatermark
    this.#leading = undefined
    leading.end(error)
    this.#wakeWatchers()
  }

  /** Its log may still be under change: `#become` waits for that. */
  #endFollowing(): void {
    const following = this.#following
    if (following === undefined || following.isOver) return
    this.#around.unfollow(following)
    following.end()
    this.#wakeWatchers()
  }

  /** Somebody else is in sync now: it need not be kept any longer. */
  #reconsider({ isr }: PartitionAssignment): void {
    if (!this.#isKept || isr.every((id) => id === this.#around.nodeId)) return
    this.#isKept = false
    this.#around.onDamaged(this)
  }

  /** Takes the role that the metadata gives, as soon as the log is loaded and left alone. */
  #become(): void {
    const assignment = this.#assignment
    if (!this.#isLoaded || assignment === undefined || !this.isOnline || this.#isRemoved) return
    if (this.#isWithdrawn) return
    const before = this.#following
    if (before !== undefined) {
      if (!before.isOver) return
      if (before.changing !== undefined) {
        void before.changing.then(() => this.#become())
        return
      }
      this.#highWatermark = before.core.highWatermark
      this.#following = undefined
    }
    if (this.isLeading) this.#lead(assignment)
    else if (assignment.leader >= 0) this.#follow(assignment)
  }

  #lead(assignment: PartitionAssignment): void {
    if (this.#leading !== undefined) return
    const { nodeId, brokers, lagMsMax, clock, recentBytes, onProposalDue, onLeading } = this.#around
    const { logStartOffset, logEndOffset } = this.log
    const highWatermark = within(this.#highWatermark, logStartOffset, logEndOffset)
    const core = new PartitionLeader({
      nodeId,
      registration: assignment,
      offsets: { logStartOffset, highWatermark, logEndOffset },
      brokers,
      lagMsMax,
      nowMs: clock.monotonic(),
    })
    this.#leading = new LeadingReplica({
      core,
      log: this.log,
      epochs: this.#state.epochs,
      clock,
      recentBytes,
      onMoved: () => this.#wakeWatchers(),
      onProposalDue: () => onProposalDue(this),
    })
    this.configured()
    onLeading()
  }

  #follow(assignment: PartitionAssignment): void {
    const { clock, logger, follow } = this.#around
    const { leader, leaderEpoch, isRecovering } = assignment
    const { topicId, partition, log, directory } = this
    const { logStartOffset, logEndOffset } = log
    const highWatermark = within(this.#highWatermark, logStartOffset, logEndOffset)
    this.#following = new FollowingReplica({
      topicId,
      partition,
      core: new PartitionFollower({ leader, leaderEpoch, highWatermark, isRecovering }),
      log,
      directory,
      derived: this.#state,
      clock,
      onMoved: () => this.#wakeWatchers(),
      onFatal: (endOffset) =>
        logger.error('replica-diverged', { log: log.name, leader, endOffset, highWatermark }),
    })
    this.#throttle()
    follow(this.#following)
  }

  /** KIP-73: topics name replicas that do not catch up at full speed. One that is in sync is not held back. */
  #throttle(): void {
    const { partition, config } = this
    const { nodeId } = this.#around
    if (this.#leading !== undefined) {
      this.#leading.isThrottled = config.throttledLeaders.has(partition, nodeId)
    }
    const isInSync = this.#assignment?.isr.includes(nodeId) ?? false
    this.#following?.throttle(!isInSync && config.throttledFollowers.has(partition, nodeId))
  }

  #write(leading: LeadingReplica, batch: Buffer, nowMs: number): Appended {
    const isStamped = this.config.hasLogAppendTime
    const { leaderEpoch, logEndOffset: baseOffset } = leading.core
    assignOffset(batch, 0, { baseOffset, leaderEpoch })
    if (isStamped) assignLogAppendTime(batch, 0, batch.length, BigInt(nowMs))
    const header = readBatchHeader(batch)
    this.log.append(batch, header)
    this.#state.replay(header)
    leading.appended(batch, header)
    const endOffset = header.lastOffset + 1n
    return { baseOffset, endOffset, logAppendTimeMs: isStamped ? BigInt(nowMs) : -1n }
  }

  #wakeWatchers(): void {
    for (const watcher of [...this.#watchers]) watcher()
  }

  get #offlineReason(): string {
    return this.directory.offline?.message ?? ''
  }
}

function within(offset: bigint, least: bigint, most: bigint): bigint {
  if (offset < least) return least
  return offset > most ? most : offset
}

function refused(error: KafkaError, message: string): Refused {
  return { error, message }
}
