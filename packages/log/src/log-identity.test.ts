import { expect, it } from 'vitest'
import { decodeIdentity, encodeIdentity, type LogIdentity } from './log-identity.ts'

const identity: LogIdentity = {
  topicId: 'zrbK0VXTRiuXF7YIGh8zCQ',
  logId: '00112233445566778899aabbccddeeff',
  firstOffset: 1_234n,
  flushMode: 'async',
}

it('is read as it was written, with and without the checksum', () => {
  const bytes = encodeIdentity(identity)
  expect(decodeIdentity(bytes)).toEqual(identity)
  const text = bytes.toString()
  expect(decodeIdentity(Buffer.from(text.slice(0, text.indexOf('naru_crc'))))).toEqual(identity)
})

it('is itself or nothing when any bit is wrong', () => {
  const whole = encodeIdentity(identity)
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const bytes = Buffer.from(whole)
    bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
    const decoded = decodeIdentity(bytes)
    if (decoded !== undefined) expect(decoded, `bit ${bit}`).toEqual(identity)
  }
})
