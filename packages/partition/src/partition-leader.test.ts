import { kafkaErrors } from '@naru/model'
import { describe, expect, it } from 'vitest'
import { LeaderEpochs } from './leader-epochs.ts'
import { healthy, offsets, TestLeader } from './testing/leader.ts'

describe('the high watermark (D9)', () => {
  it('is what all in sync have on their disks, the leader too (KAFKA-10533)', () => {
    const test = new TestLeader()
    const [second, third] = [test.follow(2, 0n), test.follow(3, 0n)]
    test.write(10n, 6n)
    expect(test.acknowledge(second, 10n)).toBe(false)
    expect(test.acknowledge(third, 10n, 4n)).toBe(true)
    expect(test.leader.highWatermark, 'the third has flushed 4').toBe(4n)
    test.acknowledge(third, 10n)
    expect(test.leader.highWatermark, 'the leader has flushed 6').toBe(6n)
    expect(test.leader.confirmed(offsets(10n))).toBe(true)
    expect(test.leader.highWatermark).toBe(10n)
  })

  it('is what all in sync have written, where acknowledged does not mean flushed', () => {
    const test = new TestLeader({ isFlushed: false })
    const [second, third] = [test.follow(2, 0n), test.follow(3, 0n)]
    test.write(10n, 0n)
    test.acknowledge(second, 10n, 0n)
    test.acknowledge(third, 7n, 0n)
    expect(test.leader.highWatermark).toBe(7n)
  })

  it('stands still below minIsr, as the partition’s state has it (KIP-966, KAFKA-15583, KAFKA-16540; testHighWatermarkAdvanceShouldNotAdvanceWhenUnderMinISR)', () => {
    const test = new TestLeader({ isr: [1] })
    test.write(10n)
    expect(test.leader.hasEnoughInSync).toBe(false)
    expect(test.leader.highWatermark).toBe(0n)
    test.adopt({ minIsr: 1 })
    expect(test.leader.highWatermark).toBe(10n)
  })

  it('counts those that are committed, not those that are proposed, towards minIsr', () => {
    const test = new TestLeader({ isr: [1] })
    test.write(10n)
    test.follow(2, 10n)
    expect(test.propose()?.members).toEqual([1, 2])
    expect(test.leader.tick(0)).toBe(false)
    expect(test.leader.highWatermark).toBe(0n)
  })

  it('knows nothing of members that have not subscribed in this epoch', () => {
    const test = new TestLeader({}, { endOffset: 5n })
    test.follow(2, 5n)
    expect(test.leader.highWatermark).toBe(0n)
    test.follow(3, 5n)
    expect(test.leader.highWatermark).toBe(5n)
  })

  it('waits for those that may be in sync by now (maximal ISR, KIP-497)', () => {
    const test = new TestLeader({ isr: [1, 2] }, { endOffset: 4n })
    const [second, third] = [test.follow(2, 4n), test.follow(3, 4n)]
    expect(test.propose()?.members).toEqual([1, 2, 3])
    test.write(10n)
    test.acknowledge(second, 10n)
    expect(test.leader.highWatermark).toBe(4n)
    test.acknowledge(third, 8n)
    expect(test.leader.highWatermark).toBe(8n)
  })

  it('waits for a refused member too, until the partition epoch rises (the model’s seed 65267)', () => {
    const test = new TestLeader({ isr: [1, 2] }, { endOffset: 4n })
    const second = test.follow(2, 4n)
    test.follow(3, 4n)
    const proposal = test.propose()
    test.inactive.add(3)
    test.leader.brokersChanged(0)
    if (proposal !== undefined) test.leader.unanswered(proposal)
    test.write(10n)
    test.acknowledge(second, 10n)
    expect(test.leader.highWatermark).toBe(4n)
    expect(test.propose()).toMatchObject({ members: [1, 2], bump: true })
    test.adopt({ isr: [1, 2] })
    expect(test.leader.highWatermark).toBe(10n)
  })

  it('never goes down, and never beyond the log', () => {
    const test = new TestLeader({ isr: [1], minIsr: 1 }, { endOffset: 5n, highWatermark: 5n })
    test.write(9n, 7n)
    expect(test.leader.highWatermark).toBe(7n)
    expect(test.leader.confirmed(offsets(9n, 6n))).toBe(false)
    expect(test.leader.highWatermark).toBe(7n)
    expect(() => test.leader.confirmed(offsets(10n))).toThrow('out of order')
    expect(() => test.leader.startMoved(8n)).toThrow('out of order')
  })

  it('may be behind what an earlier leader committed, until it reaches the start of the epoch (D13)', () => {
    const test = new TestLeader({}, { endOffset: 5n, highWatermark: 2n })
    expect(test.leader.epochStartOffset).toBe(5n)
    const second = test.follow(2, 4n)
    test.follow(3, 5n)
    expect(test.leader.highWatermark).toBe(4n)
    expect(test.leader.isHighWatermarkCurrent).toBe(false)
    test.acknowledge(second, 5n)
    expect(test.leader.isHighWatermarkCurrent).toBe(true)
  })

  it('does not go back when a replica leads again that did not know it (KIP-966 6.4.1)', () => {
    // Broker 1 was a follower that had the record but not the news that it is committed.
    const test = new TestLeader({ isr: [1, 2] }, { endOffset: 1n, highWatermark: 0n })
    expect(test.leader.isHighWatermarkCurrent).toBe(false)
    test.follow(2, 1n)
    expect(test.leader.highWatermark).toBe(1n)
    expect(test.leader.isHighWatermarkCurrent).toBe(true)
  })
})

describe('acknowledgements (D8)', () => {
  it('of a subscription that was replaced do not count', () => {
    const test = new TestLeader({ isr: [1, 2] })
    const before = test.follow(2, 0n)
    test.write(10n)
    const now = test.follow(2, 4n)
    expect(test.acknowledge(before, 10n)).toBe(false)
    expect(test.leader.highWatermark).toBe(4n)
    test.acknowledge(now, 9n)
    expect(test.leader.highWatermark).toBe(9n)
  })

  it('of an earlier epoch do not count: a new leader knows nothing of its followers (D14)', () => {
    const before = new TestLeader({ isr: [1, 2] })
    const progress = before.follow(2, 0n)
    const test = new TestLeader({ isr: [1, 2], leaderEpoch: 5 }, { endOffset: 10n })
    expect(test.acknowledge(progress, 10n)).toBe(false)
    expect(test.leader.highWatermark).toBe(0n)
  })

  it('of a replica that was removed do not count', () => {
    const test = new TestLeader({ isr: [1, 2] })
    const third = test.follow(3, 0n)
    test.adopt({ replicas: [1, 2] })
    expect(test.leader.followers.has(3)).toBe(false)
    test.acknowledge(third, 0n)
    expect(test.leader.followers.has(3)).toBe(false)
    expect(test.propose()).toBeUndefined()
  })
})

describe('subscriptions', () => {
  const test = () => new TestLeader({}, { endOffset: 10n, highWatermark: 4n, startOffset: 2n })

  it.each([
    ['of an earlier leader epoch', { leaderEpoch: 3 }, 'FENCED_LEADER_EPOCH'],
    ['of a process that another one has replaced', { brokerEpoch: 99n }, 'STALE_BROKER_EPOCH'],
    ['of a log that ends before this one begins (D16)', offsets(1n), 'OFFSET_OUT_OF_RANGE'],
    ['of a log whose last epoch is forgotten here (D16)', { lastEpoch: 2 }, 'OFFSET_OUT_OF_RANGE'],
  ])('%s are refused (D2)', (_, changes, error) => {
    const made = test()
    const answer = made.asked(made.request(2, 6n, changes))
    expect(answer).toMatchObject({ kind: 'refused', error: { name: error } })
    expect(made.leader.followers.size).toBe(0)
  })

  it.each([
    ['of a later leader epoch', 2, { leaderEpoch: 5 }],
    ['of who is no replica yet', 7, {}],
  ])('%s come too early (D2)', (_, nodeId, changes) => {
    const made = test()
    expect(made.asked(made.request(nodeId, 6n, changes)).kind).toBe('early')
  })

  it('of the process before the one that follows are refused, though the metadata do not tell yet (D2)', () => {
    const made = test()
    const progress = made.asked(made.request(2, 6n, { brokerEpoch: 202n }))
    const late = made.asked(made.request(2, 9n))
    expect(late).toMatchObject({ kind: 'refused', error: { name: 'STALE_BROKER_EPOCH' } })
    expect(progress).toMatchObject({ kind: 'accepted' })
    expect(made.leader.followers.get(2)?.logEndOffset).toBe(6n)
  })

  it('of a log that diverges say where, and do not count (D3)', () => {
    const made = test()
    const answer = made.asked(made.request(2, 12n, { lastEpoch: 3 }))
    expect(answer).toEqual({ kind: 'diverging', epoch: 3, endOffset: 10n })
    expect(made.leader.followers.size).toBe(0)
  })

  it('with an equal end are checked as all others: the records may be others (Fluss #4269)', () => {
    const epochs = new LeaderEpochs()
    epochs.assign(1, 0n)
    epochs.assign(3, 5n)
    const made = new TestLeader({ isr: [1, 2] }, { endOffset: 10n })
    const request = made.request(2, 10n, { lastEpoch: 2 })
    const answer = made.leader.subscribe(request, epochs, 0)
    expect(answer).toEqual({ kind: 'diverging', epoch: 1, endOffset: 5n })
    expect(made.leader.highWatermark).toBe(0n)
  })

  it('begin where retention has taken everything: what lies before the start cannot be compared (D16)', () => {
    // Up to the start the follower has records of epoch 2, which this log has replaced and deleted since.
    const made = test()
    const answer = made.asked(made.request(2, 2n, { lastEpoch: 2 }))
    expect(answer).toMatchObject({ kind: 'refused', error: { name: 'OFFSET_OUT_OF_RANGE' } })
    expect(made.asked(made.request(2, 2n, { lastEpoch: -1 })).kind).toBe('accepted')
  })

  it('begin a new count: what the one before said is void', () => {
    const made = new TestLeader({ isr: [1, 2] })
    made.write(10n)
    made.follow(2, 8n)
    expect(made.leader.highWatermark).toBe(8n)
    const again = made.follow(2, 3n)
    expect(again.logEndOffset).toBe(3n)
    made.write(12n)
    expect(made.leader.highWatermark).toBe(8n)
  })
})

it('the epoch of a client must be that of the leader (KIP-320)', () => {
  const { leader } = new TestLeader()
  expect(leader.checkEpoch(-1)).toBeUndefined()
  expect(leader.checkEpoch(4)).toBeUndefined()
  expect(leader.checkEpoch(3)).toBe(kafkaErrors.FENCED_LEADER_EPOCH)
  expect(leader.checkEpoch(5)).toBe(kafkaErrors.UNKNOWN_LEADER_EPOCH)
})

it('records are deleted up to the high watermark at most (KIP-107)', () => {
  const { leader } = new TestLeader({}, { endOffset: 9n, highWatermark: 5n })
  expect(leader.deletionTarget(-1n)).toBe(5n)
  expect(leader.deletionTarget(5n)).toBe(5n)
  expect(leader.deletionTarget(6n)).toBe(kafkaErrors.OFFSET_OUT_OF_RANGE)
})

it('the state of another epoch is another leader’s (D14)', () => {
  const { leader } = new TestLeader()
  expect(() => leader.adopt({ ...healthy, leaderEpoch: 5 }, 0)).toThrow('Another epoch')
})
