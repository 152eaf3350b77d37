import { expect, it } from 'vitest'
import { parsePosition } from './position.ts'

const nowMs = 1_000_000_000

it.each([
  ['start', 'earliest'],
  ['end', 'latest'],
  ['128', 128n],
  ['-10', -10n],
  ['@-10m', { timestamp: BigInt(nowMs - 600_000) }],
  ['@1700000000000', { timestamp: 1_700_000_000_000n }],
  ['@2026-01-31T00:00:00Z', { timestamp: BigInt(Date.parse('2026-01-31')) }],
  ['soon', undefined],
  ['@soon', undefined],
  ['1.5', undefined],
])('parsePosition(%s)', (text, expected) => {
  expect(parsePosition(text, nowMs)).toEqual(expected)
})
