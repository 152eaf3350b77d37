import { kafkaErrors } from '@naru/model'
import { expect, it } from 'vitest'
import { PartitionLeader } from './partition-leader.ts'

const registration = {
  replicas: [1],
  isr: [1],
  leaderEpoch: 2,
  partitionEpoch: 0,
  minIsr: 1,
  isFlushed: true,
  isRecovering: false,
}

function alone(logEndOffset: bigint): PartitionLeader {
  return new PartitionLeader({
    nodeId: 1,
    registration,
    offsets: { logStartOffset: 0n, highWatermark: 5n, logEndOffset },
    brokers: { epochOf: () => 1n, isActive: () => true },
    lagMsMax: 5_000,
    nowMs: 0,
  })
}

const at = (offset: bigint) => ({ logEndOffset: offset, flushedOffset: offset })

it('moves the high watermark up only, and holds its order', () => {
  const leader = alone(5n)
  leader.appended(9n)
  expect(leader.confirmed(at(7n))).toBe(true)
  expect(leader.confirmed(at(6n))).toBe(false)
  expect(leader.highWatermark).toBe(7n)
  expect(() => leader.confirmed(at(10n))).toThrow('out of order')
})

it('refuses other epochs and deletions beyond the high watermark (KIP-320, KIP-107)', () => {
  const leader = alone(9n)
  expect(leader.checkEpoch(-1)).toBeUndefined()
  expect(leader.checkEpoch(1)).toBe(kafkaErrors.FENCED_LEADER_EPOCH)
  expect(leader.checkEpoch(3)).toBe(kafkaErrors.UNKNOWN_LEADER_EPOCH)
  expect(leader.deletionTarget(-1n)).toBe(5n)
  expect(leader.deletionTarget(6n)).toBe(kafkaErrors.OFFSET_OUT_OF_RANGE)
})
