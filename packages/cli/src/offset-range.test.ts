import { expect, it } from 'vitest'
import { parseOffsetRange } from './offset-range.ts'

const nowMs = Date.parse('2026-06-01T12:00:00Z')

function at(time: string): { timestamp: bigint } {
  return { timestamp: BigInt(Date.parse(time)) }
}

it.each([
  ['start', { from: 'earliest' }],
  ['end', { from: 'latest' }],
  ['128', { from: 128n }],
  ['9223372036854775807', { from: 2n ** 63n - 1n }],
  ['-10', { from: -10n }],
  ['-0', { from: 'latest' }],
  ['+10', { from: { afterStart: 10n } }],
  ['100:200', { from: 100n, until: 200n }],
  ['100:', { from: 100n }],
  [':end', { from: 'earliest', until: 'latest' }],
  [':100', { from: 'earliest', until: 100n }],
  ['-10:end', { from: -10n, until: 'latest' }],
  ['start:@-1h', { from: 'earliest', until: at('2026-06-01T11:00:00Z') }],
  ['@-10m', { from: at('2026-06-01T11:50:00Z') }],
  ['@-1h30m', { from: at('2026-06-01T10:30:00Z') }],
  ['@-10m:end', { from: at('2026-06-01T11:50:00Z'), until: 'latest' }],
  ['@-48h:-24h', { from: at('2026-05-30T12:00:00Z'), until: at('2026-05-31T12:00:00Z') }],
  ['@2026-01-31', { from: at('2026-01-31T00:00:00Z') }],
  ['@2026-01-31T12:00', { from: at('2026-01-31T12:00:00Z') }],
  ['@2026-01-31T12:00:00.5+09:00', { from: at('2026-01-31T03:00:00.500Z') }],
  ['@2026-01-31:1h', { from: at('2026-01-31T00:00:00Z'), until: at('2026-01-31T01:00:00Z') }],
  [
    '@2026-01-31T12:00:00Z:2026-01-31T13:30:00Z',
    { from: at('2026-01-31T12:00:00Z'), until: at('2026-01-31T13:30:00Z') },
  ],
  ['@2026-01-31T12:00:end', { from: at('2026-01-31T12:00:00Z'), until: 'latest' }],
  ['@:2026-01-31', { from: 'earliest', until: at('2026-01-31T00:00:00Z') }],
  ['@1700000000', { from: { timestamp: 1_700_000_000_000n } }],
  ['@1700000000123', { from: { timestamp: 1_700_000_000_123n } }],
])('parseOffsetRange(%s)', (text, expected) => {
  expect(parseOffsetRange(text, nowMs)).toEqual(expected)
})

it.each([
  '',
  ':',
  '@',
  '@:',
  'soon',
  '@soon',
  '1.5',
  '0x10',
  '+x',
  '--1',
  '9223372036854775808',
  '200:100',
  '100:100',
  '100:1h',
  '@2026-02-31',
  '@2026-01-31T25:00',
  '@-10m:-20m',
  '@123',
])('parseOffsetRange(%s) refuses', (text) => {
  expect(parseOffsetRange(text, nowMs)).toBeUndefined()
})
