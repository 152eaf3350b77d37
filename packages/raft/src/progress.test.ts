// What a leader may send, whatever answers come: never more than the window, and never past what it knows.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Progress } from './progress.ts'

const window = { messagesMax: 3, bytesMax: 100 }
const snapshot = { index: 40n, term: 1n, voters: [] }

const operations = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('send' as const),
        count: fc.integer({ min: 1, max: 3 }),
        bytes: fc.integer({ min: 1, max: 60 }),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constant('accept' as const),
        ahead: fc.integer({ min: -3, max: 4 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('reject' as const),
        back: fc.nat(4),
        hint: fc.nat(12),
      }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('heard' as const) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('snapshot' as const) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('lost' as const) }) },
  ),
  { maxLength: 80 },
)

type Operation = typeof operations extends fc.Arbitrary<(infer T)[]> ? T : never

/** Messages that were sent ahead and are not known to have arrived. */
class PlainWindow {
  inflight: { lastIndex: bigint; bytes: number }[] = []
  /** Highest index that the follower may truly have. */
  sentTo = 10n

  get bytes(): number {
    return this.inflight.reduce((sum, { bytes }) => sum + bytes, 0)
  }
}

function run(progress: Progress, model: PlainWindow, operation: Operation): void {
  const before = progress.state
  switch (operation.type) {
    case 'send': {
      if (!progress.canSend || !progress.hasWindow) return
      const lastIndex = progress.nextIndex + BigInt(operation.count) - 1n
      progress.sent(lastIndex, operation.bytes)
      if (lastIndex > model.sentTo) model.sentTo = lastIndex
      if (before === 'replicate') model.inflight.push({ lastIndex, bytes: operation.bytes })
      return
    }
    case 'accept': {
      const reached = progress.matchIndex + BigInt(operation.ahead)
      const matchIndex = reached < 0n ? 0n : reached > model.sentTo ? model.sentTo : reached
      progress.accepted(matchIndex)
      model.inflight = model.inflight.filter(({ lastIndex }) => lastIndex > matchIndex)
      break
    }
    case 'reject': {
      const prevIndex = progress.nextIndex - 1n - BigInt(operation.back)
      progress.rejected(prevIndex, prevIndex - BigInt(operation.hint))
      break
    }
    case 'heard':
      progress.heard(1)
      break
    case 'snapshot':
      progress.startSnapshot(snapshot)
      break
    case 'lost':
      progress.lost(progress.nextIndex)
  }
  if (progress.state !== 'replicate' || before !== 'replicate') model.inflight = []
}

describe('Progress', () => {
  it('never lets more be on its way than the window holds, and counts what is exactly', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const progress = new Progress({ nextIndex: 11n, nowMs: 0, window })
        const model = new PlainWindow()
        for (const operation of list) {
          run(progress, model, operation)
          expect(model.inflight.length).toBeLessThanOrEqual(window.messagesMax)
          expect(model.bytes).toBeLessThan(window.bytesMax + 60)
          const isRoom = model.inflight.length < window.messagesMax && model.bytes < window.bytesMax
          expect(progress.hasWindow).toBe(isRoom)
          expect(progress.nextIndex).toBeGreaterThan(progress.matchIndex)
        }
      }),
    )
  })

  it('knows of more only by what was acknowledged, and of less only after a loss', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const progress = new Progress({ nextIndex: 11n, nowMs: 0, window })
        const model = new PlainWindow()
        for (const operation of list) {
          const { matchIndex } = progress
          run(progress, model, operation)
          if (operation.type === 'lost') expect(progress.matchIndex).toBe(0n)
          else if (operation.type === 'accept') {
            expect(progress.matchIndex).toBeGreaterThanOrEqual(matchIndex)
            expect(progress.matchIndex).toBeLessThanOrEqual(model.sentTo)
          } else expect(progress.matchIndex).toBe(matchIndex)
        }
      }),
    )
  })

  it('is never stuck: when a heartbeat is answered something may be sent, or a snapshot is on its way', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const progress = new Progress({ nextIndex: 11n, nowMs: 0, window })
        const model = new PlainWindow()
        for (const operation of list) run(progress, model, operation)
        progress.heard(1)
        expect(progress.canSend).toBe(progress.state !== 'snapshot')
        expect(progress.transfer === undefined).toBe(progress.state !== 'snapshot')
      }),
    )
  })
})

describe('Progress, state by state', () => {
  const probing = () => new Progress({ nextIndex: 11n, nowMs: 0, window })
  const replicating = () => {
    const progress = probing()
    progress.accepted(10n)
    return progress
  }

  it('probes with one message, and sends ahead once it was accepted', () => {
    const progress = probing()
    progress.sent(12n, 10)
    expect(progress).toMatchObject({ state: 'probe', canSend: false, nextIndex: 11n })
    progress.accepted(12n)
    expect(progress).toMatchObject({ state: 'replicate', canSend: true, nextIndex: 13n })
    progress.sent(15n, 10)
    expect(progress.nextIndex).toBe(16n)
  })

  // where it looks next: the refused place, the hint, the next index
  it.each([
    [10n, 6n, 6n],
    [10n, 1n, 1n],
    [9n, 3n, 11n],
    [11n, 3n, 11n],
  ])(
    'looks where a refusal of what it asked says (%s, hint %s), and nowhere for another',
    (prevIndex, hint, next) => {
      const progress = probing()
      progress.sent(12n, 10)
      progress.rejected(prevIndex, hint)
      expect(progress.nextIndex).toBe(next)
      expect(progress.canSend).toBe(next !== 11n)
    },
  )

  it('goes back to what is known when a message that was sent ahead is refused', () => {
    const progress = replicating()
    progress.sent(12n, 10)
    progress.sent(14n, 10)
    progress.rejected(12n, 3n)
    expect(progress).toMatchObject({
      state: 'probe',
      nextIndex: 11n,
      matchIndex: 10n,
      hasWindow: true,
    })
  })

  it('looks never below what was acknowledged', () => {
    const progress = replicating()
    progress.sent(12n, 10)
    progress.rejected(12n, 3n)
    progress.rejected(10n, 3n)
    expect(progress.nextIndex).toBe(11n)
  })

  it('leaves a snapshot when what it holds is acknowledged, however that came about', () => {
    for (const matchIndex of [40n, 55n]) {
      const progress = probing()
      progress.startSnapshot(snapshot)
      expect(progress).toMatchObject({
        canSend: false,
        transfer: { snapshot, offset: 0, sentMs: undefined },
      })
      progress.accepted(39n)
      expect(progress.state).toBe('snapshot')
      progress.accepted(matchIndex)
      expect(progress).toMatchObject({
        state: 'replicate',
        nextIndex: matchIndex + 1n,
        transfer: undefined,
      })
    }
  })
})
