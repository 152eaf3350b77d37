// Who joins the in-sync set, who leaves it, and for whom the leader waits meanwhile.
import { describe, expect, it } from 'vitest'
import { lagMsMax, TestLeader } from './testing/leader.ts'

/** Brokers 1 and 2 are in sync, and have everything up to 10. */
function two(changes: object = {}): TestLeader {
  const test = new TestLeader({ isr: [1, 2], ...changes }, { endOffset: 10n, highWatermark: 10n })
  test.follow(2, 10n)
  return test
}

describe('joining (D11)', () => {
  it('is for who has all that is committed, and all from before this epoch', () => {
    const test = two()
    const third = test.follow(3, 9n)
    expect(test.propose()).toBeUndefined()
    test.acknowledge(third, 10n)
    expect(test.propose()).toMatchObject({ members: [1, 2, 3], bump: false })
    expect(test.leader.brokerEpochOf(3), 'of the process that was met (KIP-903)').toBe(103n)
    expect(test.leader.brokerEpochOf(2), 'of who is in sync already').toBe(-1n)
  })

  it('is not for who has less than the high watermark, though all from before this epoch', () => {
    const test = two()
    const second = test.leader.followers.get(2)
    test.write(20n)
    if (second !== undefined) test.acknowledge(second, 20n)
    expect(test.leader.highWatermark).toBe(20n)
    test.follow(3, 15n)
    expect(test.propose()).toBeUndefined()
  })

  it('is not for who has less than the epoch began with, though this leader knows of less that is committed', () => {
    // KAFKA testFollowerDoesNotJoinISRUntilCaughtUpToOffsetWithinCurrentLeaderEpoch
    const test = new TestLeader({ isr: [1, 2] }, { endOffset: 10n, highWatermark: 3n })
    const third = test.follow(3, 5n)
    expect(test.propose()).toBeUndefined()
    test.acknowledge(third, 10n)
    expect(test.propose()?.members).toEqual([1, 2, 3])
  })

  it('is for who has it on the disk, where acknowledged means flushed', () => {
    const test = two()
    const third = test.follow(3, 10n, 9n)
    expect(test.propose()).toBeUndefined()
    test.acknowledge(third, 10n)
    expect(test.propose()?.members).toEqual([1, 2, 3])
    const unflushed = two({ isFlushed: false })
    unflushed.acknowledge(unflushed.follow(3, 10n, 0n), 10n, 0n)
    expect(unflushed.propose()?.members).toEqual([1, 2, 3])
  })

  it('is not for who is fenced or about to stop, until that is over (KIP-841)', () => {
    const test = two()
    test.inactive.add(3)
    test.follow(3, 10n)
    expect(test.propose()).toBeUndefined()
    test.inactive.delete(3)
    test.leader.brokersChanged(0)
    expect(test.propose()?.members).toEqual([1, 2, 3])
  })

  it('is not for another process than the one that is registered (KIP-903, KAFKA-14617, KAFKA-14139)', () => {
    const test = two()
    test.follow(3, 10n)
    test.brokerEpochs.set(3, 203n)
    expect(test.propose()).toBeUndefined()
    const ahead = two()
    ahead.asked(ahead.request(3, 10n, { brokerEpoch: 203n }))
    expect(ahead.propose(), 'the leader has not heard of it yet').toBeUndefined()
    ahead.brokerEpochs.set(3, 203n)
    ahead.leader.brokersChanged(0)
    expect(ahead.propose()?.members).toEqual([1, 2, 3])
    expect(ahead.leader.brokerEpochOf(3)).toBe(203n)
  })

  it('is asked for again after a refusal', () => {
    const test = two()
    test.follow(3, 10n)
    const proposal = test.propose()
    expect(test.leader.isProposalDue, 'one at a time').toBe(false)
    if (proposal !== undefined) test.leader.unanswered(proposal)
    expect(test.leader.isProposalDue).toBe(true)
    expect(test.propose()).toMatchObject({ members: [1, 2, 3], bump: false })
  })
})

describe('what is committed while a follower comes', () => {
  it('waits for who is nearly there, or it would never come in sync under load (D9)', () => {
    const test = two()
    const second = test.leader.followers.get(2)
    const third = test.follow(3, 5n)
    test.write(20n)
    if (second !== undefined) test.acknowledge(second, 20n)
    expect(test.leader.highWatermark, 'nothing is known of the third yet').toBe(20n)
    test.acknowledge(third, 10n)
    test.write(30n)
    if (second !== undefined) test.acknowledge(second, 30n)
    expect(test.leader.highWatermark, 'what there was when it came it has').toBe(20n)
    test.acknowledge(third, 20n)
    expect(test.propose()?.members).toEqual([1, 2, 3])
  })

  it('does not wait for who is far behind', () => {
    const test = two()
    const second = test.leader.followers.get(2)
    test.nowMs = lagMsMax + 1
    test.write(1_000n)
    const third = test.follow(3, 0n)
    if (second !== undefined) test.acknowledge(second, 1_000n)
    expect(test.leader.highWatermark).toBe(1_000n)
    test.nowMs += lagMsMax
    test.acknowledge(third, 500n)
    test.write(2_000n)
    if (second !== undefined) test.acknowledge(second, 2_000n)
    expect(test.leader.highWatermark).toBe(2_000n)
  })

  it('does not wait for who gets slow on the way, nor for who is gone', () => {
    const test = two()
    const second = test.leader.followers.get(2)
    const third = test.follow(3, 10n)
    test.inactive.add(3)
    test.leader.brokersChanged(0)
    test.write(20n)
    if (second !== undefined) test.acknowledge(second, 20n)
    expect(test.leader.highWatermark, 'fenced').toBe(20n)
    test.inactive.delete(3)
    test.leader.brokersChanged(0)
    test.write(30n)
    if (second !== undefined) test.acknowledge(second, 30n)
    expect(test.leader.highWatermark, 'waits again').toBe(20n)
    test.leader.unsubscribed(third)
    expect(test.leader.tick(0)).toBe(true)
    expect(test.leader.highWatermark, 'its stream is gone').toBe(30n)
    test.write(35n)
    test.leader.brokersChanged(0)
    if (second !== undefined) test.acknowledge(second, 35n)
    expect(test.leader.highWatermark, 'and it is not waited for again').toBe(35n)
    expect(test.propose()?.members.includes(3) ?? false).toBe(false)
    const again = test.follow(3, 35n)
    test.write(40n)
    test.leader.tick(0)
    test.nowMs = lagMsMax + 1
    if (second !== undefined) test.acknowledge(second, 40n)
    expect(test.leader.tick(test.nowMs)).toBe(true)
    expect(test.leader.highWatermark, 'it lags').toBe(40n)
    expect(again.logEndOffset).toBe(35n)
  })
})

describe('leaving (D12)', () => {
  const all = () => {
    const test = new TestLeader({}, { endOffset: 10n, highWatermark: 10n })
    test.follow(2, 10n)
    return test
  }

  it('is for who was behind for too long; the clock starts with the epoch (Fluss #3698)', () => {
    const test = new TestLeader({}, { endOffset: 10n, highWatermark: 10n, nowMs: 70_000 })
    test.follow(2, 10n)
    test.nowMs += lagMsMax
    test.leader.tick(test.nowMs)
    expect(test.propose()).toBeUndefined()
    test.nowMs += 1
    test.leader.tick(test.nowMs)
    expect(test.propose()?.members).toEqual([1, 2])
  })

  it('is not for who had everything until now, however long ago it said so', () => {
    const test = all()
    test.follow(3, 10n)
    test.nowMs = 10 * lagMsMax
    test.write(20n)
    test.leader.tick(test.nowMs)
    expect(test.propose()).toBeUndefined()
    test.nowMs += lagMsMax + 1
    test.leader.tick(test.nowMs)
    expect(test.propose()?.members).toEqual([1])
  })

  it('is for who has written everything and flushed nothing, where acknowledged means flushed', () => {
    const test = all()
    const third = test.follow(3, 10n)
    test.write(20n)
    test.acknowledge(third, 20n, 10n)
    const second = test.leader.followers.get(2)
    if (second !== undefined) test.acknowledge(second, 20n)
    test.nowMs = lagMsMax + 1
    test.leader.tick(test.nowMs)
    expect(test.propose()?.members).toEqual([1, 2])
  })

  it('happens below minIsr too: the controller keeps those that leave as eligible (KIP-966)', () => {
    const test = new TestLeader({ isr: [1, 2] }, { endOffset: 10n })
    test.nowMs = lagMsMax + 1
    test.leader.tick(test.nowMs)
    expect(test.propose()?.members).toEqual([1])
  })

  it('never is for the leader (Fluss #3927)', () => {
    const test = new TestLeader({ isr: [1, 2, 3] }, { endOffset: 10n })
    test.nowMs = 10 * lagMsMax
    test.leader.tick(test.nowMs)
    expect(test.propose()?.members).toEqual([1])
  })

  it('is for who lost its stream, where something waits for it, while enough are left', () => {
    const test = all()
    test.follow(3, 10n)
    test.leader.missing(3)
    expect(test.propose(), 'nothing waits').toBeUndefined()
    test.write(20n)
    expect(test.propose()?.members).toEqual([1, 2])
    const few = two()
    few.write(20n)
    few.leader.missing(2)
    expect(few.propose(), 'too few would be left').toBeUndefined()
  })

  it('is not for who came back', () => {
    const test = all()
    test.write(20n)
    test.leader.missing(2)
    test.leader.missing(3)
    test.follow(2, 10n)
    expect(test.propose()?.members).toEqual([1, 2])
  })
})

describe('from acknowledged in memory to acknowledged on disks (2(e))', () => {
  const unflushed = () => {
    const test = new TestLeader({ isr: [1, 2], isFlushed: false }, { endOffset: 10n })
    const second = test.follow(2, 10n, 0n)
    test.acknowledge(second, 10n, 0n)
    return { test, second }
  }

  it('is proposed when all in sync have flushed what there was', () => {
    const { test, second } = unflushed()
    test.leader.wantFlushed()
    expect(test.propose()).toBeUndefined()
    test.acknowledge(second, 10n, 9n)
    expect(test.propose()).toBeUndefined()
    test.acknowledge(second, 10n)
    expect(test.propose()).toMatchObject({ members: [1, 2], hasFlushed: true })
    test.adopt({ isFlushed: true })
    expect(test.propose()).toBeUndefined()
  })

  it('counts what is flushed as soon as it is wanted: the answer comes later than the controller’s trust', () => {
    const { test, second } = unflushed()
    expect(test.leader.highWatermark).toBe(10n)
    test.leader.wantFlushed()
    test.acknowledge(second, 10n)
    expect(test.propose()?.hasFlushed).toBe(true)
    test.write(20n, 10n)
    test.acknowledge(second, 20n, 10n)
    expect(test.leader.highWatermark).toBe(10n)
    test.acknowledge(second, 20n)
    test.leader.confirmed({ logEndOffset: 20n, flushedOffset: 20n })
    expect(test.leader.highWatermark).toBe(20n)
  })

  it('is proposed no more when the setting is taken back', () => {
    const { test, second } = unflushed()
    test.leader.wantFlushed()
    test.leader.wantUnflushed()
    test.acknowledge(second, 10n)
    expect(test.propose()).toBeUndefined()
  })

  it('takes along nobody who has not flushed', () => {
    const { test, second } = unflushed()
    test.leader.wantFlushed()
    test.acknowledge(second, 10n)
    const third = test.follow(3, 10n, 9n)
    expect(test.propose()).toMatchObject({ members: [1, 2], hasFlushed: true })
    expect(third.flushedOffset).toBe(9n)
  })
})

it('a leader is done with an unclean election when every replica follows', () => {
  const test = new TestLeader({ isr: [1], isRecovering: true })
  expect(test.leader.isRecovered).toBe(false)
  test.follow(2, 0n)
  expect(test.leader.isRecovered).toBe(false)
  test.follow(3, 0n)
  expect(test.leader.isRecovered).toBe(true)
})
