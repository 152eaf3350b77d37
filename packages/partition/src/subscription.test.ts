import { expect, it } from 'vitest'
import { LeaderEpochs } from './leader-epochs.ts'
import { PartitionLeader } from './partition-leader.ts'

const registration = {
  replicas: [1, 2],
  isr: [1, 2],
  leaderEpoch: 0,
  partitionEpoch: 0,
  minIsr: 2,
  isRecovering: false,
}

it.each([true, false])(
  'a follower that subscribes is not counted for what it has not acknowledged (flushed: %s)',
  (isFlushed) => {
    const leader = new PartitionLeader({
      nodeId: 1,
      registration: { ...registration, isFlushed },
      offsets: { logStartOffset: 0n, highWatermark: 0n, logEndOffset: 0n },
      brokers: { epochOf: () => 1n, isActive: () => true },
      lagMsMax: 5_000,
      nowMs: 0,
    })
    const epochs = new LeaderEpochs()
    epochs.assign(0, 0n)
    leader.appended(8n)
    leader.confirmed({ logEndOffset: 8n, flushedOffset: 8n })
    // Appended before its stream broke, and still on the way to the disk.
    const request = { nodeId: 2, brokerEpoch: 1n, leaderEpoch: 0, lastEpoch: 0 }
    const offsets = { logEndOffset: 8n, flushedOffset: 0n }
    const answer = leader.subscribe({ ...request, ...offsets }, epochs, 10)
    expect(leader.highWatermark).toBe(0n)
    if (answer.kind !== 'accepted') throw new Error(answer.kind)
    const acknowledged = { logEndOffset: 8n, flushedOffset: isFlushed ? 8n : 0n }
    leader.acknowledged(answer.progress, acknowledged, 20)
    expect(leader.highWatermark).toBe(8n)
  },
)
