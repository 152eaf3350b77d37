import { kafkaErrors } from '@naru/model'
import { encodeBatch, readBatchHeader } from '@naru/records'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.ts'
import { ProducerState } from './producer-state.ts'

const empty = { key: null, value: null, headers: [], timestamp: 1n }

function batch(baseSequence: number, { count = 1, producerEpoch = 0, baseOffset = 0n } = {}) {
  const records = Array.from({ length: count }, () => empty)
  return readBatchHeader(
    encodeBatch(records, { producerId: 7n, producerEpoch, baseSequence, baseOffset }),
  )
}

function stateAfter(...sequences: number[]): ProducerState {
  const state = new ProducerState()
  for (const sequence of sequences) state.append(batch(sequence, { baseOffset: BigInt(sequence) }))
  return state
}

const errorOf = (verdict: ReturnType<ProducerState['check']>) =>
  verdict.kind === 'refuse' ? verdict.error : verdict.kind

describe('ProducerState.check()', () => {
  it('takes the next sequence and refuses a gap (KIP-98)', () => {
    const state = stateAfter(0, 1, 2)
    expect(errorOf(state.check(batch(3)))).toBe('append')
    expect(errorOf(state.check(batch(4)))).toBe(kafkaErrors.OUT_OF_ORDER_SEQUENCE_NUMBER)
  })

  it('answers a retry of one of the last five batches with its offset', () => {
    const state = stateAfter(0, 1, 2, 3, 4, 5)
    for (const sequence of [1, 2, 3, 4, 5]) {
      const verdict = state.check(batch(sequence))
      expect(verdict.kind === 'duplicate' && verdict.of.baseOffset).toBe(BigInt(sequence))
    }
    expect(errorOf(state.check(batch(0)))).toBe(kafkaErrors.OUT_OF_ORDER_SEQUENCE_NUMBER)
  })

  it('judges the epoch before the sequence (KIP-360)', () => {
    const state = new ProducerState()
    state.append(batch(0, { producerEpoch: 3 }))
    expect(errorOf(state.check(batch(0, { producerEpoch: 2 })))).toBe(
      kafkaErrors.INVALID_PRODUCER_EPOCH,
    )
    expect(errorOf(state.check(batch(0, { producerEpoch: 4 })))).toBe('append')
    expect(errorOf(state.check(batch(1, { producerEpoch: 4 })))).toBe(
      kafkaErrors.OUT_OF_ORDER_SEQUENCE_NUMBER,
    )
  })

  it('takes any first sequence of a producer that it does not know', () => {
    expect(errorOf(new ProducerState().check(batch(500)))).toBe('append')
  })

  it('wraps from 2147483647 to 0', () => {
    const state = stateAfter(0x7fffffff)
    expect(errorOf(state.check(batch(0)))).toBe('append')
    const spanning = new ProducerState()
    spanning.append(batch(0x7ffffffe, { count: 4 }))
    expect(errorOf(spanning.check(batch(2)))).toBe('append')
    expect(errorOf(spanning.check(batch(1)))).toBe(kafkaErrors.OUT_OF_ORDER_SEQUENCE_NUMBER)
  })

  it('forgets producers that were silent for too long', () => {
    const state = stateAfter(0)
    state.expire(100n, 98n)
    expect(state.size).toBe(0)
  })
})

it('a log written through check() has each sequence once and in order, whatever is retried', () => {
  const tries = fc.array(
    fc.record({ sequence: fc.nat(12), count: fc.integer({ min: 1, max: 3 }) }),
    {
      maxLength: 60,
    },
  )
  fc.assert(
    fc.property(tries, (list) => {
      const state = new ProducerState()
      let end = 0
      for (const { sequence, count } of list) {
        const header = batch(sequence, { count, baseOffset: BigInt(end) })
        if (end === 0 && sequence !== 0) continue
        if (state.check(header).kind !== 'append') continue
        expect(sequence).toBe(end)
        state.append(header)
        end += count
      }
    }),
  )
})

it('a snapshot brings back what each producer may repeat', () => {
  const state = stateAfter(0, 1, 2)
  const restored = new ProducerState()
  for (const entry of decodeProducerSnapshot(encodeProducerSnapshot(state.entries()))) {
    restored.restore(entry)
  }
  for (const sequence of [0, 1, 2]) {
    expect(restored.check(batch(sequence))).toEqual(state.check(batch(sequence)))
    expect(restored.check(batch(sequence)).kind).toBe('duplicate')
  }
  expect(restored.check(batch(3)).kind).toBe('append')
  const damaged = encodeProducerSnapshot(state.entries())
  damaged[12] = (damaged[12] as number) ^ 1
  expect(() => decodeProducerSnapshot(damaged)).toThrow('checksum')
})
