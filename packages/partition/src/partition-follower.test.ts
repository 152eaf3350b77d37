import { kafkaErrors } from '@naru/model'
import { describe, expect, it } from 'vitest'
import { LeaderEpochs } from './leader-epochs.ts'
import { PartitionFollower } from './partition-follower.ts'

function follower(highWatermark = 0n, isRecovering = false): PartitionFollower {
  return new PartitionFollower({ leader: 1, leaderEpoch: 4, highWatermark, isRecovering })
}

/** Subscribed as 7, and accepted. */
function accepted(highWatermark = 0n): PartitionFollower {
  const made = follower(highWatermark)
  made.subscribed(7)
  made.accepted(7)
  return made
}

function log(logEndOffset: bigint, ...starts: [number, bigint][]) {
  const epochs = new LeaderEpochs()
  for (const [epoch, startOffset] of starts) epochs.assign(epoch, startOffset)
  return { epochs, logEndOffset }
}

const upTo10 = { logStartOffset: 0n, logEndOffset: 10n }

describe('batches (D6)', () => {
  it.each([
    ['that go on where the log ends are appended', 10n, 12n, 'append'],
    ['that are there already are passed over', 7n, 10n, 'duplicate'],
    ['after something that was lost are not', 11n, 12n, 'gap'],
    ['that begin in the log and end beyond it are not', 9n, 12n, 'gap'],
  ] as const)('%s', (_, baseOffset, nextOffset, verdict) => {
    expect(accepted().judge(7, { baseOffset, nextOffset }, upTo10)).toBe(verdict)
  })

  it('in which an empty log begins are what it is to begin with (D16)', () => {
    const empty = { logStartOffset: 10n, logEndOffset: 10n }
    expect(accepted().judge(7, { baseOffset: 9n, nextOffset: 12n }, empty)).toBe('within')
    expect(accepted().judge(7, { baseOffset: 9n, nextOffset: 10n }, empty)).toBe('duplicate')
    expect(accepted().judge(7, { baseOffset: 11n, nextOffset: 12n }, empty)).toBe('gap')
  })

  it('of an earlier subscription do not count', () => {
    const made = accepted()
    made.subscribed(8)
    const batch = { baseOffset: 10n, nextOffset: 12n }
    expect(made.judge(7, batch, upTo10)).toBe('stale')
    expect(made.judge(8, batch, upTo10), 'not accepted yet').toBe('stale')
    expect(made.accepted(7)).toBe(false)
    expect(made.accepted(8)).toBe(true)
    expect(made.judge(8, batch, upTo10)).toBe('append')
    made.unsubscribed()
    expect(made.judge(8, batch, upTo10)).toBe('stale')
  })
})

describe('truncation (D4, D5)', () => {
  const diverged = log(20n, [1, 0n], [3, 12n])

  it('goes by leader epochs, not by the high watermark (KIP-101)', () => {
    const made = follower(4n)
    made.subscribed(7)
    const end = { epoch: 1, endOffset: 15n }
    expect(made.diverging(7, end, diverged)).toEqual({ kind: 'cut', endOffset: 12n })
  })

  it('is followed by a new subscription: nothing counts until that is accepted', () => {
    const made = follower()
    made.subscribed(7)
    made.diverging(7, { epoch: 1, endOffset: 15n }, diverged)
    expect(made.accepted(7)).toBe(false)
    expect(made.committed(7, 12n, 12n)).toBe(false)
    expect(made.diverging(7, { epoch: 1, endOffset: 3n }, diverged)).toEqual({ kind: 'stale' })
  })

  it('below what is committed is fatal, and never silent', () => {
    const made = follower(13n)
    made.subscribed(7)
    const cut = made.diverging(7, { epoch: 1, endOffset: 15n }, diverged)
    expect(cut).toEqual({ kind: 'fatal', endOffset: 12n })
    expect(made.highWatermark).toBe(13n)
  })

  it('below what was committed is what an unclean election asks for', () => {
    const made = follower(13n, true)
    made.subscribed(7)
    const cut = made.diverging(7, { epoch: 1, endOffset: 15n }, diverged)
    expect(cut).toEqual({ kind: 'cut', endOffset: 12n })
    expect(made.highWatermark).toBe(12n)
  })
})

describe('the high watermark (D7)', () => {
  it('is at most the end of the log, and rises', () => {
    const made = accepted()
    expect(made.committed(7, 9n, 5n)).toBe(true)
    expect(made.highWatermark).toBe(5n)
    expect(made.committed(7, 4n, 8n)).toBe(false)
    expect(made.committed(7, 7n, 8n)).toBe(true)
    expect(made.highWatermark).toBe(7n)
  })

  it('does not move before the log is known to be the leader’s: first cut, then commit (KAFKA-14704)', () => {
    const made = follower()
    made.subscribed(7)
    expect(made.committed(7, 5n, 8n)).toBe(false)
    made.accepted(7)
    expect(made.committed(6, 5n, 8n), 'of another subscription').toBe(false)
    expect(made.committed(7, 5n, 8n)).toBe(true)
  })

  it("begins anew where the leader's log starts, and destroys nothing that is committed (D16, D5)", () => {
    const made = accepted(3n)
    expect(made.outOfRange(8, 40n)).toEqual({ kind: 'stale' })
    expect(made.outOfRange(7, 40n)).toEqual({ kind: 'cut', endOffset: 40n })
    expect(made.highWatermark).toBe(40n)
    expect(made.isAccepted).toBe(false)
    expect(accepted(3n).outOfRange(7, 2n)).toEqual({ kind: 'fatal', endOffset: 2n })
  })
})

describe('what readers may see', () => {
  it('is committed and written', () => {
    const made = accepted(8n)
    expect(made.readableEnd(20n)).toBe(8n)
    made.committed(7, 15n, 20n)
    expect(made.readableEnd(20n)).toBe(15n)
    // Appended, and still on its way to the disk.
    expect(made.readableEnd(12n)).toBe(12n)
  })

  it('is what was committed before, while the leader has not answered', () => {
    expect(follower(8n).readableEnd(20n)).toBe(8n)
  })

  it('is nothing after an unclean election, until the leader has this log', () => {
    const made = follower(8n, true)
    expect(made.readableEnd(20n)).toBeUndefined()
    made.subscribed(7)
    made.diverging(7, { epoch: 1, endOffset: 5n }, log(20n, [1, 0n], [3, 5n]))
    expect(made.readableEnd(20n)).toBeUndefined()
    made.subscribed(8)
    made.accepted(8)
    expect(made.readableEnd(5n)).toBe(5n)
  })

  it('is nothing where the leader has another log below the high watermark', () => {
    const made = accepted(8n)
    const end = { epoch: 1, endOffset: 5n }
    expect(made.diverging(7, end, log(20n, [1, 0n], [3, 5n])).kind).toBe('fatal')
    expect(made.readableEnd(20n)).toBeUndefined()
  })
})

it('a client with an earlier or a later leadership is told so (KIP-320)', () => {
  expect(follower().checkEpoch(-1)).toBeUndefined()
  expect(follower().checkEpoch(4)).toBeUndefined()
  expect(follower().checkEpoch(3)).toBe(kafkaErrors.FENCED_LEADER_EPOCH)
  expect(follower().checkEpoch(5)).toBe(kafkaErrors.UNKNOWN_LEADER_EPOCH)
})
