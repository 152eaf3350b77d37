import { expect, it } from 'vitest'
import { murmur2 } from './partitioner.ts'

// Values that Kafka's own tests publish for this function.
it.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('murmur2(%s) is what the Java client computes', (text, expected) => {
  expect(murmur2(Buffer.from(text))).toBe(expected)
})
