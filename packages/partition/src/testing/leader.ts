/** A leader of replicas 1, 2 and 3, with what its broker sees of the others, and a log as long as it is told. */
import type { NodeId } from '@naru/model'
import type { FollowerProgress, ReplicaOffsets } from '../follower-progress.ts'
import type { IsrProposal } from '../in-sync-set.ts'
import { LeaderEpochs } from '../leader-epochs.ts'
import {
  PartitionLeader,
  type PartitionRegistration,
  type SubscriptionAnswer,
  type SubscriptionRequest,
} from '../partition-leader.ts'

export const lagMsMax = 5_000

export const healthy: PartitionRegistration = {
  replicas: [1, 2, 3],
  isr: [1, 2, 3],
  leaderEpoch: 4,
  partitionEpoch: 9,
  minIsr: 2,
  isFlushed: true,
  isRecovering: false,
}

/** Written and flushed up to the same offset, unless it says otherwise. */
export function offsets(logEndOffset: bigint, flushedOffset = logEndOffset): ReplicaOffsets {
  return { logEndOffset, flushedOffset }
}

export class TestLeader {
  readonly leader: PartitionLeader
  readonly epochs = new LeaderEpochs()
  readonly brokerEpochs = new Map<NodeId, bigint>([
    [1, 101n],
    [2, 102n],
    [3, 103n],
  ])
  readonly inactive = new Set<NodeId>()
  nowMs: number

  /** `endOffset`: of the log when the epoch began, all of it written in epoch 3. */
  constructor(
    changes: Partial<PartitionRegistration> = {},
    { endOffset = 0n, highWatermark = 0n, startOffset = 0n, nowMs = 0 } = {},
  ) {
    const registration = { ...healthy, ...changes }
    this.nowMs = nowMs
    if (endOffset > 0n) this.epochs.assign(3, startOffset)
    this.epochs.assign(registration.leaderEpoch, endOffset)
    this.leader = new PartitionLeader({
      nodeId: 1,
      registration,
      offsets: { logStartOffset: startOffset, highWatermark, logEndOffset: endOffset },
      brokers: {
        epochOf: (nodeId) => this.brokerEpochs.get(nodeId),
        isActive: (nodeId) => this.brokerEpochs.has(nodeId) && !this.inactive.has(nodeId),
      },
      lagMsMax,
      nowMs,
    })
    this.leader.confirmed(offsets(endOffset))
  }

  /** Appended, and as far as `flushedOffset` on the leader's own disk. */
  write(endOffset: bigint, flushedOffset = endOffset): void {
    this.leader.appended(endOffset)
    this.leader.confirmed(offsets(endOffset, flushedOffset))
  }

  request(nodeId: NodeId, logEndOffset: bigint, changes: Partial<SubscriptionRequest> = {}) {
    const { leader, brokerEpochs } = this
    return {
      nodeId,
      brokerEpoch: brokerEpochs.get(nodeId) ?? 0n,
      leaderEpoch: leader.leaderEpoch,
      lastEpoch: logEndOffset === 0n ? -1 : (this.epochs.epochOf(logEndOffset - 1n) ?? -1),
      ...offsets(logEndOffset),
      ...changes,
    }
  }

  asked(request: SubscriptionRequest): SubscriptionAnswer {
    return this.leader.subscribe(request, this.epochs, this.nowMs)
  }

  /** A follower whose log is a prefix of the leader's. */
  follow(nodeId: NodeId, logEndOffset: bigint, flushedOffset = logEndOffset): FollowerProgress {
    const answer = this.asked(this.request(nodeId, logEndOffset, { flushedOffset }))
    if (answer.kind !== 'accepted') throw new Error(`Broker ${nodeId} is ${answer.kind}`)
    return answer.progress
  }

  acknowledge(
    progress: FollowerProgress,
    logEndOffset: bigint,
    flushedOffset = logEndOffset,
  ): boolean {
    return this.leader.acknowledged(progress, offsets(logEndOffset, flushedOffset), this.nowMs)
  }

  /** What the leader asks of the controller. */
  propose(): IsrProposal | undefined {
    return this.leader.takeProposal(this.nowMs)
  }

  /** The controller's state after the next change. */
  adopt(changes: Partial<PartitionRegistration>): void {
    const { registration, inSync } = this.leader
    const partitionEpoch = inSync.partitionEpoch + 1
    this.leader.adopt({ ...registration, partitionEpoch, ...changes }, this.nowMs)
  }
}
