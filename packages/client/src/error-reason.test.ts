import { expect, it } from 'vitest'
import { encodeStatus, type StatusDetail } from '../../grpc-api/src/status-details.ts'
import { errorReason } from './error-reason.ts'

const info: StatusDetail = {
  type: 'ErrorInfo',
  reason: 'VOTER_NOT_FOUND',
  domain: 'naru.dev',
  metadata: { kafka_code: '127' },
}
const retry: StatusDetail = { type: 'RetryInfo', retryAfterMs: 1_500 }

it('finds the name of the Kafka error among the details', () => {
  expect(errorReason(encodeStatus(5, 'no such voter', [retry, info]))).toBe('VOTER_NOT_FOUND')
})

it('knows none where there is none, or another program has answered', () => {
  expect(errorReason(encodeStatus(14, 'later', [retry]))).toBeUndefined()
  expect(errorReason(encodeStatus(5, '', [{ ...info, domain: 'example.com' }]))).toBeUndefined()
  expect(errorReason(Buffer.alloc(0))).toBeUndefined()
})

it('takes bytes that are no status for no answer', () => {
  const whole = encodeStatus(5, 'no such voter', [info])
  for (let end = 1; end < whole.length; end++) errorReason(whole.subarray(0, end))
  expect(errorReason(Buffer.from('ffffffffff', 'hex'))).toBeUndefined()
})
