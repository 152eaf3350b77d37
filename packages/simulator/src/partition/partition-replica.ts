/** One process's replica: the real cores, and what a shell does for them. Everything that the walk knows of their API is here. */
import { type AlteredPartition, isActive, type ProposedIsr } from '@naru/metadata'
import { kafkaErrors, type NodeId } from '@naru/model'
import {
  type FollowerProgress,
  type IsrProposal,
  PartitionFollower,
  PartitionLeader,
  type PartitionRegistration,
  type ReplicaOffsets,
} from '@naru/partition'
import { mustHold } from '../raft/raft-history.ts'
import type { MetadataView } from './model-controller.ts'
import type { ModelLog } from './model-log.ts'
import type { ReplicationMessage } from './partition-messages.ts'

export interface ReplicaSurroundings {
  readonly nowMs: number
  readonly lagMsMax: number
  readonly hadUncleanElection: boolean
  nextSubscription(): number
  /** A leader's high watermark moved. */
  committed(replica: PartitionReplica): void
  /** A follower's high watermark moved. */
  seen(replica: PartitionReplica): void
  /** Something was taken from the log. */
  cut(replica: PartitionReplica): void
  /** The log would have to be cut below what is committed. */
  broken(replica: PartitionReplica): void
}

export interface Subscriber {
  readonly id: number
  readonly progress: FollowerProgress
  sentTo: bigint
}

/** A proposal with all that is needed when it is answered. */
export interface Asked {
  readonly leader: PartitionLeader
  readonly proposal: IsrProposal
  readonly request: ProposedIsr
}

export class PartitionReplica {
  readonly nodeId: NodeId
  readonly brokerEpoch: bigint
  readonly log: ModelLog
  leader: PartitionLeader | undefined
  follower: PartitionFollower | undefined
  /** Of the last leadership that was heard of. */
  leaderEpoch = -1
  /** It is a replica no more, its data is gone, and the controller does not know yet. */
  hasDeleted = false
  readonly #surroundings: ReplicaSurroundings
  /** Of all epochs: what old ones say must not count. */
  readonly #subscribers = new Map<number, Subscriber>()
  #view: MetadataView
  #highWatermark: bigint
  #subscriptionId = -1
  #asked: Asked | undefined

  constructor(options: {
    nodeId: NodeId
    brokerEpoch: bigint
    log: ModelLog
    highWatermark: bigint
    view: MetadataView
    surroundings: ReplicaSurroundings
  }) {
    this.nodeId = options.nodeId
    this.brokerEpoch = options.brokerEpoch
    this.log = options.log
    this.#highWatermark = options.highWatermark
    this.#view = options.view
    this.#surroundings = options.surroundings
    this.apply(options.view)
  }

  get highWatermark(): bigint {
    return this.leader?.highWatermark ?? this.follower?.highWatermark ?? this.#highWatermark
  }

  get #nowMs(): number {
    return this.#surroundings.nowMs
  }

  get #offsets(): ReplicaOffsets {
    return { logEndOffset: this.log.endOffset, flushedOffset: this.log.flushedOffset }
  }

  apply(view: MetadataView): void {
    const wanted = this.#view.wantsFlushed
    this.#view = view
    const { partition } = view
    const isKnown = this.leader !== undefined || this.follower !== undefined
    if (!partition.replicas.includes(this.nodeId)) this.#leave()
    else if (partition.leaderEpoch > this.leaderEpoch || !isKnown) this.#begin()
    else this.#follow(wanted)
  }

  #follow(wanted: boolean): void {
    const { leader } = this
    const view = this.#view
    if (leader === undefined) return
    leader.adopt(registrationOf(view), this.#nowMs)
    leader.brokersChanged(this.#nowMs)
    if (view.wantsFlushed && !wanted) leader.wantFlushed()
    this.#moved()
  }

  #begin(): void {
    const { partition } = this.#view
    this.#forgetRole()
    this.hasDeleted = false
    this.leaderEpoch = partition.leaderEpoch
    if (partition.leader === -1) return
    if (partition.leader !== this.nodeId) {
      this.follower = new PartitionFollower({
        leader: partition.leader,
        leaderEpoch: partition.leaderEpoch,
        highWatermark: this.#highWatermark,
        isRecovering: partition.isRecovering,
      })
      return
    }
    const { log } = this
    log.epochs.assign(partition.leaderEpoch, log.endOffset)
    const { startOffset, endOffset } = log
    this.leader = new PartitionLeader({
      nodeId: this.nodeId,
      registration: registrationOf(this.#view),
      offsets: {
        logStartOffset: startOffset,
        highWatermark: this.#highWatermark,
        logEndOffset: endOffset,
      },
      brokers: {
        epochOf: (id) => this.#view.brokers.get(id)?.brokerEpoch,
        isActive: (id) => {
          const broker = this.#view.brokers.get(id)
          return broker !== undefined && isActive(broker)
        },
      },
      lagMsMax: this.#surroundings.lagMsMax,
      nowMs: this.#nowMs,
    })
    if (this.#view.wantsFlushed) this.leader.wantFlushed()
    this.logMoved()
  }

  #forgetRole(): void {
    this.#highWatermark = this.highWatermark
    this.leader = undefined
    this.follower = undefined
  }

  /** Data goes when a record says so, never because something is absent. */
  #leave(): void {
    this.#forgetRole()
    this.leaderEpoch = this.#view.partition.leaderEpoch
    if (!this.#view.partition.removedReplicas.includes(this.nodeId)) return
    this.log.restart(undefined)
    this.#highWatermark = 0n
    this.hasDeleted = true
  }

  // What a leader does.

  produce(records: number): void {
    const { leader, log } = this
    if (leader === undefined) return
    const { last, endOffset } = log
    log.append({
      baseOffset: endOffset,
      nextOffset: endOffset + BigInt(records),
      epoch: leader.leaderEpoch,
      index: last === undefined ? 0 : last.index + 1,
      previous: last,
    })
    leader.appended(log.endOffset)
    this.logMoved()
  }

  /** The log was written or flushed. */
  logMoved(): void {
    this.leader?.confirmed(this.#offsets)
    this.#moved()
  }

  tick(): void {
    this.leader?.tick(this.#nowMs)
    this.#moved()
  }

  missing(nodeId: NodeId): void {
    this.leader?.missing(nodeId)
  }

  dropRecords(offset: bigint): void {
    const { leader, log } = this
    if (leader === undefined || typeof leader.deletionTarget(offset) !== 'bigint') return
    log.moveStart(offset)
    leader.startMoved(log.startOffset)
  }

  subscribed(message: ReplicationMessage & { kind: 'subscribe' }): ReplicationMessage | undefined {
    const { leader, log } = this
    if (leader === undefined) return undefined
    const { id, request, tip } = message
    const answer = leader.subscribe(request, log.epochs, this.#nowMs)
    if (answer.kind === 'diverging') {
      const { epoch, endOffset } = answer
      return { kind: 'diverging', id, epoch, endOffset, base: log.endingAt(endOffset) }
    }
    if (answer.kind === 'refused') {
      const isOutOfRange = answer.error.name === 'OFFSET_OUT_OF_RANGE'
      if (!isOutOfRange) return undefined
      return { kind: 'outOfRange', id, base: log.endingAt(log.startOffset) }
    }
    if (answer.kind === 'early') return undefined
    // After an unclean election an empty log may begin where the leader's has no batch that begins.
    if (request.lastEpoch === -1 && !log.holds(tip) && this.#surroundings.hadUncleanElection) {
      return { kind: 'outOfRange', id, base: log.endingAt(log.startOffset) }
    }
    mustHold(
      log.holds(tip),
      'who follows has a prefix of the leader’s log',
      () => `${request.nodeId} has ${tip?.baseOffset}/${tip?.epoch}`,
    )
    this.#subscribers.set(id, { id, progress: answer.progress, sentTo: request.logEndOffset })
    this.#moved()
    return { kind: 'accepted', id }
  }

  acknowledged({ id, offsets }: ReplicationMessage & { kind: 'ack' }): void {
    const { leader } = this
    const subscriber = this.#subscribers.get(id)
    if (leader === undefined || subscriber === undefined) return
    const { progress } = subscriber
    mustHold(
      leader.followers.get(progress.nodeId) !== progress ||
        offsets.logEndOffset <= leader.logEndOffset,
      'nobody acknowledges more than there is',
      () => `${progress.nodeId} has ${offsets.logEndOffset} of ${leader.logEndOffset}`,
    )
    leader.acknowledged(progress, offsets, this.#nowMs)
    this.#moved()
  }

  /** The subscriptions that count, with the process that made them. */
  get subscribers(): readonly Subscriber[] {
    const { leader } = this
    if (leader === undefined) return []
    return [...this.#subscribers.values()].filter(
      ({ progress }) => leader.followers.get(progress.nodeId) === progress,
    )
  }

  /** The next batches for a follower, or only what is committed. */
  data(
    subscriber: Subscriber,
    { from, count }: { from: bigint; count: number },
  ): ReplicationMessage {
    const batches = this.log.from(from, count)
    subscriber.sentTo = batches.at(-1)?.nextOffset ?? from
    const { highWatermark, logStartOffset } = this.leader as PartitionLeader
    return { kind: 'data', id: subscriber.id, batches, highWatermark, logStartOffset }
  }

  propose(): Asked | undefined {
    const { leader } = this
    const proposal = leader?.takeProposal(this.#nowMs)
    if (leader === undefined || proposal === undefined) return undefined
    const { topicId, partition } = this.#view.partition
    const { members, partitionEpoch, hasFlushed, bump } = proposal
    const request = {
      topicId,
      partition,
      leaderEpoch: leader.leaderEpoch,
      partitionEpoch,
      isr: members.map((nodeId) => ({ nodeId, brokerEpoch: leader.brokerEpochOf(nodeId) })),
      isRecovering: leader.registration.isRecovering && !leader.isRecovered,
      hasFlushed,
      bump,
    }
    this.#asked = { leader, proposal, request }
    return this.#asked
  }

  /** Nobody answers. */
  giveUp(): void {
    if (this.#asked !== undefined) this.leader?.unanswered(this.#asked.proposal)
  }

  /** Undefined: refused as a whole, or nobody knows. */
  answered({ leader, proposal }: Asked, answer: AlteredPartition | undefined): void {
    if (this.leader !== leader) return
    const isNews =
      answer?.errorCode === kafkaErrors.NONE.code &&
      answer.leaderEpoch === leader.leaderEpoch &&
      answer.partitionEpoch > leader.inSync.partitionEpoch
    if (!isNews) {
      leader.unanswered(proposal)
      return
    }
    const { isr, partitionEpoch, minIsr, isFlushed, isRecovering } = answer
    const news = { isr, partitionEpoch, minIsr, isFlushed, isRecovering }
    leader.adopt({ ...leader.registration, ...news }, this.#nowMs)
    this.#moved()
  }

  #moved(): void {
    const { leader } = this
    if (leader === undefined || leader.highWatermark === this.#highWatermark) return
    mustHold(
      leader.highWatermark > this.#highWatermark,
      'high watermarks rise in an epoch',
      () => `${this.#highWatermark} to ${leader.highWatermark}`,
    )
    this.#highWatermark = leader.highWatermark
    this.#surroundings.committed(this)
  }

  // What a follower does.

  get wantsSubscription(): boolean {
    return this.follower !== undefined && !this.follower.isAccepted
  }

  subscription(): ReplicationMessage {
    const { log, nodeId, brokerEpoch, leaderEpoch } = this
    const id = this.#surroundings.nextSubscription()
    this.#subscriptionId = id
    this.follower?.subscribed(id)
    const { lastEpoch, last } = log
    const request = { nodeId, brokerEpoch, leaderEpoch, lastEpoch, ...this.#offsets }
    return { kind: 'subscribe', id, request, tip: last }
  }

  unsubscribed(): void {
    this.follower?.unsubscribed()
  }

  streamEnded(subscriptions: readonly number[]): void {
    for (const id of subscriptions) {
      const subscriber = this.#subscribers.get(id)
      if (subscriber !== undefined) this.leader?.unsubscribed(subscriber.progress)
    }
  }

  get subscriptionId(): number {
    return this.#subscriptionId
  }

  received(message: ReplicationMessage, isFlushed: boolean): void {
    const { follower } = this
    if (follower === undefined) return
    if (message.kind === 'accepted') follower.accepted(message.id)
    else if (message.kind === 'diverging') this.#diverging(follower, message)
    else if (message.kind === 'outOfRange') this.#restart(follower, message)
    else if (message.kind === 'data') this.#append(follower, message, isFlushed)
  }

  acknowledgement(): ReplicationMessage {
    return { kind: 'ack', id: this.#subscriptionId, offsets: this.#offsets }
  }

  #diverging(
    follower: PartitionFollower,
    { id, epoch, endOffset: leaderEnd, base }: ReplicationMessage & { kind: 'diverging' },
  ): void {
    const { log } = this
    const { epochs, endOffset } = log
    const end = { epoch, endOffset: leaderEnd }
    const cut = follower.diverging(id, end, { epochs, logEndOffset: endOffset })
    if (cut.kind === 'stale') return
    if (cut.kind === 'fatal') {
      this.#surroundings.broken(this)
      return
    }
    if (cut.endOffset < log.startOffset) log.restart(base)
    else log.truncate(cut.endOffset)
    this.#highWatermark = follower.highWatermark
    this.#surroundings.cut(this)
  }

  #restart(
    follower: PartitionFollower,
    { id, base }: ReplicationMessage & { kind: 'outOfRange' },
  ): void {
    const restart = follower.outOfRange(id, base?.nextOffset ?? 0n)
    if (restart.kind === 'stale') return
    this.#subscriptionId = -1
    if (restart.kind === 'fatal') {
      this.#surroundings.broken(this)
      return
    }
    this.log.restart(base)
    this.#surroundings.cut(this)
  }

  #append(
    follower: PartitionFollower,
    message: ReplicationMessage & { kind: 'data' },
    isFlushed: boolean,
  ): void {
    const { log } = this
    const { id } = message
    for (const batch of message.batches) {
      const verdict = follower.judge(id, batch, {
        logStartOffset: log.startOffset,
        logEndOffset: log.endOffset,
      })
      if (verdict === 'append') log.append(batch)
      else if (verdict === 'gap') follower.unsubscribed()
      if (verdict === 'gap' || verdict === 'stale') break
    }
    if (isFlushed) log.flush()
    if (follower.committed(id, message.highWatermark, log.endOffset)) {
      this.#highWatermark = follower.highWatermark
      this.#surroundings.seen(this)
    }
    const isCurrent = id === this.#subscriptionId && follower.isAccepted
    const { logStartOffset: start } = message
    if (isCurrent) log.moveStart(start < this.#highWatermark ? start : this.#highWatermark)
  }
}

function registrationOf({ partition }: MetadataView): PartitionRegistration {
  return partition
}
