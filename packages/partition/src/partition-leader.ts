/**
 * What the leader of a partition decides in one leader epoch: how far its followers have come, what is committed, who is in sync.
 * A new epoch is a new leader, which knows nothing of its followers (rule D14).
 * Invariant: logStartOffset <= lastStableOffset <= highWatermark <= logEndOffset.
 */
import { assert } from '@naru/base'
import { type KafkaError, kafkaErrors, type NodeId } from '@naru/model'
import { FollowerProgress, type LeaderEnd, type ReplicaOffsets } from './follower-progress.ts'
import { InSyncSet, type IsrProposal } from './in-sync-set.ts'
import { divergence, epochError, type LeaderEpochs } from './leader-epochs.ts'

/** What the metadata says of a partition. */
export interface PartitionRegistration {
  readonly replicas: readonly NodeId[]
  readonly isr: readonly NodeId[]
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly minIsr: number
  /** Acknowledged means flushed. */
  readonly isFlushed: boolean
  /** Followers may have to cut back what was committed before an unclean election. */
  readonly isRecovering: boolean
}

/** What the metadata says of brokers. */
export interface BrokersView {
  /** Of the registration; undefined for an unknown broker. */
  epochOf(nodeId: NodeId): bigint | undefined
  /** Neither fenced nor about to stop. */
  isActive(nodeId: NodeId): boolean
}

export interface LeaderOffsets {
  readonly logStartOffset: bigint
  readonly highWatermark: bigint
  readonly logEndOffset: bigint
}

export interface PartitionLeaderOptions {
  readonly nodeId: NodeId
  readonly registration: PartitionRegistration
  readonly offsets: LeaderOffsets
  readonly brokers: BrokersView
  /** `replica.lag.time.max.ms` */
  readonly lagMsMax: number
  readonly nowMs: number
}

/** A follower's request to be sent what comes after the end of its log. */
export interface SubscriptionRequest extends ReplicaOffsets {
  readonly nodeId: NodeId
  readonly brokerEpoch: bigint
  readonly leaderEpoch: number
  /** Of the last batch; -1 for an empty log. */
  readonly lastEpoch: number
  /** Undefined where the follower does not say. */
  readonly logStartOffset?: bigint | undefined
}

export type SubscriptionAnswer =
  | { readonly kind: 'accepted'; readonly progress: FollowerProgress }
  /** The follower's log leaves the leader's at or before `endOffset`, where `epoch` ends. */
  | { readonly kind: 'diverging'; readonly epoch: number; readonly endOffset: bigint }
  | { readonly kind: 'refused'; readonly error: KafkaError }
  /** It knows of something that this leader has not heard of yet. */
  | { readonly kind: 'early' }

export class PartitionLeader {
  readonly leaderEpoch: number
  /** Where the log ended when the epoch began. */
  readonly epochStartOffset: bigint
  readonly #nodeId: NodeId
  readonly #brokers: BrokersView
  readonly #lagMsMax: number
  readonly #startedMs: number
  readonly #inSync: InSyncSet
  readonly #followers = new Map<NodeId, FollowerProgress>()
  /** Nearly in sync: nothing more is committed without them, or they would never come up with it. */
  readonly #joining = new Set<FollowerProgress>()
  /** Lost their stream and have not come back. */
  readonly #absent = new Set<NodeId>()
  #registration: PartitionRegistration
  #logStartOffset: bigint
  #highWatermark: bigint
  #logEndOffset: bigint
  #ownOffsets: ReplicaOffsets
  /** Once this much is flushed everywhere, acknowledged may mean flushed. */
  #flushTarget: bigint | undefined
  #isProposalDue = false

  constructor(options: PartitionLeaderOptions) {
    const { registration, offsets } = options
    this.leaderEpoch = registration.leaderEpoch
    this.#nodeId = options.nodeId
    this.#brokers = options.brokers
    this.#lagMsMax = options.lagMsMax
    this.#startedMs = options.nowMs
    this.#registration = registration
    this.#inSync = new InSyncSet(registration)
    this.#logStartOffset = offsets.logStartOffset
    this.#highWatermark = offsets.highWatermark
    this.#logEndOffset = offsets.logEndOffset
    this.epochStartOffset = offsets.logEndOffset
    this.#ownOffsets = { logEndOffset: offsets.highWatermark, flushedOffset: 0n }
    this.#assertOrder()
  }

  get logStartOffset(): bigint {
    return this.#logStartOffset
  }

  /** Exclusive end of what every in-sync replica has: readers see what lies below. */
  get highWatermark(): bigint {
    return this.#highWatermark
  }

  /** Exclusive end for read_committed. Without transactions it is the high watermark. */
  get lastStableOffset(): bigint {
    return this.#highWatermark
  }

  get logEndOffset(): bigint {
    return this.#logEndOffset
  }

  /** Until then earlier leaders may have committed more than this one knows (rule D13). */
  get isHighWatermarkCurrent(): boolean {
    return this.#highWatermark >= this.epochStartOffset
  }

  /** Whether acks=all is to be had at all. */
  get hasEnoughInSync(): boolean {
    return this.#inSync.members.length >= this.#registration.minIsr
  }

  get isReplicated(): boolean {
    return this.#registration.replicas.length > 1
  }

  get registration(): PartitionRegistration {
    return this.#registration
  }

  get inSync(): Pick<InSyncSet, 'members' | 'maximal' | 'partitionEpoch' | 'isPending'> {
    return this.#inSync
  }

  get followers(): ReadonlyMap<NodeId, FollowerProgress> {
    return this.#followers
  }

  /** Whether nothing is acknowledged without this follower. */
  isAwaited(progress: FollowerProgress): boolean {
    return this.#inSync.maximal.includes(progress.nodeId) || this.#joining.has(progress)
  }

  /** The controller is to be asked for something: `takeProposal`. */
  get isProposalDue(): boolean {
    return this.#isProposalDue && !this.#inSync.isPending
  }

  /** A batch was appended that ends before `endOffset`. */
  appended(endOffset: bigint): void {
    assert(endOffset > this.#logEndOffset, `Append ends at ${endOffset}`)
    this.#logEndOffset = endOffset
    if (this.#absent.size > 0) this.#isProposalDue = true
  }

  /** The leader's own log has come so far. True when the high watermark moved. */
  confirmed(offsets: ReplicaOffsets): boolean {
    this.#ownOffsets = offsets
    this.#noteFlushed()
    return this.#advance()
  }

  /** Rules D2 and D3: whether a follower may be counted, or how it gets there. `epochs`: those of the leader's log. */
  subscribe(request: SubscriptionRequest, epochs: LeaderEpochs, nowMs: number): SubscriptionAnswer {
    const { nodeId, brokerEpoch } = request
    if (request.leaderEpoch < this.leaderEpoch) return refused(kafkaErrors.FENCED_LEADER_EPOCH)
    if (request.leaderEpoch > this.leaderEpoch) return { kind: 'early' }
    if (!this.#registration.replicas.includes(nodeId)) return { kind: 'early' }
    if (brokerEpoch < this.#newestEpochOf(nodeId)) {
      return refused(kafkaErrors.STALE_BROKER_EPOCH)
    }
    if (this.#isBeforeStart(request, epochs)) return refused(kafkaErrors.OFFSET_OUT_OF_RANGE)
    const end = divergence(epochs, this.#logEndOffset, request)
    if (end !== undefined) return { kind: 'diverging', ...end }
    // Where its log ends may be in its memory only: what it has written it acknowledges as soon as it hears of this.
    const { flushedOffset } = request
    const progress = new FollowerProgress({
      nodeId,
      brokerEpoch,
      logStartOffset: request.logStartOffset,
      offsets: { logEndOffset: flushedOffset, flushedOffset },
      caughtUpMs: this.#caughtUpMsOf(nodeId),
      leaderEnd: this.#end,
      nowMs,
    })
    this.#joining.delete(this.#followers.get(nodeId) as FollowerProgress)
    this.#followers.set(nodeId, progress)
    this.#absent.delete(nodeId)
    this.#counted(progress, nowMs)
    return { kind: 'accepted', progress }
  }

  /** Rule D8: what a subscription says that was replaced does not count. True when the high watermark moved. */
  acknowledged(progress: FollowerProgress, offsets: ReplicaOffsets, nowMs: number): boolean {
    if (this.#followers.get(progress.nodeId) !== progress) return false
    progress.acknowledged(offsets, this.#end, nowMs)
    return this.#counted(progress, nowMs)
  }

  /** The stream of a subscription is gone; what it has acknowledged stays on that follower's disk. */
  unsubscribed(progress: FollowerProgress): void {
    progress.ended()
    this.#joining.delete(progress)
  }

  /** The follower's stream broke and it has not come back: waiting for it would hold up acknowledgements for nothing (rule D12). */
  missing(nodeId: NodeId): void {
    if (!this.#inSync.members.includes(nodeId)) return
    this.#absent.add(nodeId)
    if (this.#highWatermark < this.#logEndOffset) this.#isProposalDue = true
  }

  /** Looks for members that are behind for too long. True when the high watermark moved. */
  tick(nowMs: number): boolean {
    if (this.#inSync.members.some((id) => this.#isLagging(id, nowMs))) this.#isProposalDue = true
    if (this.#inSync.isUnsettled) this.#isProposalDue = true
    for (const progress of this.#joining) {
      if (this.#hasLagged(progress, nowMs)) this.#joining.delete(progress)
    }
    return this.#advance()
  }

  /** Brokers have come or gone: somebody may be in sync now who was not allowed to. */
  brokersChanged(nowMs: number): boolean {
    this.#considerAll(nowMs)
    return this.#advance()
  }

  /** What holds now, from the metadata or from the answer to a proposal. True when the high watermark moved. */
  adopt(registration: PartitionRegistration, nowMs: number): boolean {
    assert(registration.leaderEpoch === this.leaderEpoch, 'Another epoch has another leader')
    if (!this.#inSync.adopt(registration)) return false
    this.#registration = registration
    for (const [nodeId, progress] of this.#followers) {
      if (!registration.replicas.includes(nodeId)) this.#followers.delete(nodeId)
      const isGone = !registration.replicas.includes(nodeId) || registration.isr.includes(nodeId)
      if (isGone) this.#joining.delete(progress)
    }
    for (const id of this.#absent) if (!registration.isr.includes(id)) this.#absent.delete(id)
    if (registration.isFlushed) this.#flushTarget = undefined
    this.#considerAll(nowMs)
    return this.#advance()
  }

  /** The topic's setting has become `naru.flush=ack`: acknowledged shall mean flushed as soon as all of the log is. */
  wantFlushed(): void {
    if (this.#registration.isFlushed) return
    this.#flushTarget = this.#logEndOffset
    this.#noteFlushed()
  }

  /** The topic's setting is not `naru.flush=ack` any more. */
  wantUnflushed(): void {
    this.#flushTarget = undefined
  }

  /** Who should be in sync now, if that differs from what is committed or may become so (rules D11, D12). */
  takeProposal(nowMs: number): IsrProposal | undefined {
    if (!this.isProposalDue) return undefined
    this.#isProposalDue = false
    const { members } = this.#inSync
    const staying = this.#staying(nowMs)
    // Who would have to leave at once does not come: two of them would take turns for ever.
    const joining = [...this.#followers.values()]
      .filter((progress) => !members.includes(progress.nodeId) && this.#mayJoin(progress))
      .map(({ nodeId }) => nodeId)
      .filter((id) => !this.#isLagging(id, nowMs))
    return this.#inSync.propose([...staying, ...joining], this.#hasFlushed)
  }

  /** The proposal was refused, or nobody knows: it is made anew, or voided, when it is tried again. */
  unanswered(proposal: IsrProposal): void {
    if (this.#inSync.unanswered(proposal)) this.#isProposalDue = true
  }

  /** Of the follower that a proposal adds: the process that was met (KIP-903). */
  brokerEpochOf(nodeId: NodeId): bigint {
    if (this.#inSync.members.includes(nodeId)) return -1n
    return this.#followers.get(nodeId)?.brokerEpoch ?? -1n
  }

  /** Whether every replica follows: nobody is left who would have to cut back what an unclean election lost. */
  get isRecovered(): boolean {
    const { replicas } = this.#registration
    return replicas.every((id) => id === this.#nodeId || this.#followers.has(id))
  }

  /** Where a deletion of records must leave the log's start (KIP-107); -1 asks for the high watermark. */
  deletionTarget(offset: bigint): bigint | KafkaError {
    const target = offset === -1n ? this.#highWatermark : offset
    if (target < 0n || target > this.#highWatermark) return kafkaErrors.OFFSET_OUT_OF_RANGE
    return target
  }

  startMoved(offset: bigint): void {
    if (offset > this.#logStartOffset) this.#logStartOffset = offset
    this.#assertOrder()
  }

  /** Whether a client's idea of the leadership is ours. */
  checkEpoch(currentLeaderEpoch: number): KafkaError | undefined {
    return epochError(this.leaderEpoch, currentLeaderEpoch)
  }

  /**
   * Rule D16: the follower begins anew at this log's start. So it does when its last epoch is from before all that this log knows of: up
   * to the start nobody can tell any more whether the two agree.
   */
  #isBeforeStart({ lastEpoch, logEndOffset }: SubscriptionRequest, epochs: LeaderEpochs): boolean {
    if (logEndOffset < this.#logStartOffset) return true
    const first = epochs.entries[0]?.epoch ?? this.leaderEpoch
    return this.#logStartOffset > 0n && lastEpoch !== -1 && lastEpoch < first
  }

  #counted(progress: FollowerProgress, nowMs: number): boolean {
    if (!this.#inSync.members.includes(progress.nodeId)) this.#consider(progress, nowMs)
    this.#noteFlushed()
    return this.#advance()
  }

  /** Rule D9: nothing is committed with fewer than `minIsr` members, nor without everybody who may be one. */
  #advance(): boolean {
    if (!this.hasEnoughInSync) return false
    const isFlushed = this.#countsFlushed
    const own = this.#ownOffsets
    let target = isFlushed ? own.flushedOffset : own.logEndOffset
    for (const id of this.#inSync.maximal) {
      if (id === this.#nodeId) continue
      const offset = this.#followers.get(id)?.offset(isFlushed) ?? 0n
      if (offset < target) target = offset
    }
    for (const progress of this.#joining) {
      const offset = progress.offset(isFlushed)
      if (offset < target) target = offset
    }
    if (target <= this.#highWatermark) return false
    this.#highWatermark = target
    this.#assertOrder()
    return true
  }

  #considerAll(nowMs: number): void {
    for (const progress of this.#followers.values()) {
      if (!this.#inSync.members.includes(progress.nodeId)) this.#consider(progress, nowMs)
    }
  }

  #consider(progress: FollowerProgress, nowMs: number): void {
    const isNear = this.#isEligible(progress) && !this.#hasLagged(progress, nowMs)
    if (isNear) this.#joining.add(progress)
    else this.#joining.delete(progress)
    if (this.#mayJoin(progress)) this.#isProposalDue = true
  }

  /** Rule D11. */
  #mayJoin(progress: FollowerProgress): boolean {
    const offset = progress.offset(this.#countsFlushed)
    const isComplete = offset >= this.#highWatermark && offset >= this.epochStartOffset
    return isComplete && this.#isEligible(progress)
  }

  /** As the metadata know it, or as one that has registered since told it itself. */
  #newestEpochOf(nodeId: NodeId): bigint {
    const registered = this.#brokers.epochOf(nodeId) ?? 0n
    const subscribed = this.#followers.get(nodeId)?.brokerEpoch ?? 0n
    return subscribed > registered ? subscribed : registered
  }

  #isEligible({ nodeId, brokerEpoch, hasEnded }: FollowerProgress): boolean {
    if (hasEnded) return false
    return this.#brokers.isActive(nodeId) && this.#brokers.epochOf(nodeId) === brokerEpoch
  }

  /** Members that are behind go in any case; those that are merely absent only while enough are left. */
  #staying(nowMs: number): NodeId[] {
    const following = this.#inSync.members.filter((id) => !this.#isLagging(id, nowMs))
    const present = following.filter((id) => !this.#absent.has(id))
    return present.length >= this.#registration.minIsr ? present : following
  }

  /** Members had everything when the epoch began; of others nothing is known. */
  #caughtUpMsOf(nodeId: NodeId): number {
    const known = this.#followers.get(nodeId)?.caughtUpMs
    if (known !== undefined) return known
    return this.#inSync.members.includes(nodeId) ? this.#startedMs : Number.NEGATIVE_INFINITY
  }

  #isLagging(nodeId: NodeId, nowMs: number): boolean {
    if (nodeId === this.#nodeId) return false
    const progress = this.#followers.get(nodeId)
    if (progress === undefined) return nowMs - this.#startedMs > this.#lagMsMax
    return this.#hasLagged(progress, nowMs)
  }

  #hasLagged(progress: FollowerProgress, nowMs: number): boolean {
    progress.observe(this.#end, nowMs)
    return progress.isLagging(this.#end, nowMs, this.#lagMsMax)
  }

  get #end(): LeaderEnd {
    return { offset: this.#logEndOffset, isFlushed: this.#countsFlushed }
  }

  /**
   * From when it is wanted, and not only from when the controller knows: what is acknowledged after a proposal must be flushed too, or
   * the controller would trust a disk that lacks it.
   */
  get #countsFlushed(): boolean {
    return this.#registration.isFlushed || this.#flushTarget !== undefined
  }

  get #hasFlushed(): boolean {
    const target = this.#flushTarget
    if (target === undefined || this.#ownOffsets.flushedOffset < target) return false
    return this.#inSync.members.every(
      (id) => id === this.#nodeId || (this.#followers.get(id)?.flushedOffset ?? 0n) >= target,
    )
  }

  #noteFlushed(): void {
    if (this.#flushTarget !== undefined && this.#hasFlushed) this.#isProposalDue = true
  }

  #assertOrder(): void {
    assert(
      this.#logStartOffset <= this.#highWatermark && this.#highWatermark <= this.#logEndOffset,
      `Offsets are out of order: ${this.#logStartOffset}, ${this.#highWatermark}, ${this.#logEndOffset}`,
    )
  }
}

function refused(error: KafkaError): SubscriptionAnswer {
  return { kind: 'refused', error }
}
