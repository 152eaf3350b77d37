import { describe, expect, it } from 'vitest'
import { ByteQuota } from './byte-quota.ts'

const rate = 1_000

function quotaOf(bytesPerSecond: number): ByteQuota {
  const quota = new ByteQuota()
  quota.setRate(bytesPerSecond, 0)
  return quota
}

describe('ByteQuota', () => {
  it('has no end without a limit', () => {
    const quota = new ByteQuota()
    quota.spend(1e12, 0)
    expect(quota.available(0)).toBe(Number.POSITIVE_INFINITY)
    expect(quota.waitMs(0)).toBe(0)
  })

  it('gives what the time gives, and what was left of a second at most', () => {
    const quota = quotaOf(rate)
    expect(quota.available(0)).toBe(rate)
    quota.spend(rate, 0)
    expect(quota.available(0)).toBe(0)
    expect(quota.available(500)).toBe(500)
    expect(quota.available(60_000)).toBe(rate)
  })

  it('says when it has something again, which is worth waking somebody for', () => {
    const quota = quotaOf(rate)
    quota.spend(rate, 0)
    expect(quota.waitMs(0)).toBe(100)
    expect(quota.available(99)).toBe(0)
    expect(quota.available(100)).toBe(100)
  })

  it('is overdrawn by what was larger, and pays that back', () => {
    const quota = quotaOf(rate)
    quota.spend(3 * rate, 0)
    expect(quota.waitMs(0)).toBe(2_100)
    expect(quota.available(2_099)).toBe(0)
    expect(quota.available(2_100)).toBe(100)
  })

  it.each([0, 1, rate])(
    'lets something pass again after any batch, at %d bytes a second',
    (slow) => {
      const quota = quotaOf(slow)
      quota.spend(1 << 30, 0)
      const waitMs = quota.waitMs(0)
      expect(waitMs).toBe(11_100)
      // A fraction of a byte may be missing.
      expect(quota.available(waitMs + 1)).toBeGreaterThan(0)
    },
  )

  it('takes back what was not used', () => {
    const quota = quotaOf(rate)
    quota.spend(rate, 0)
    quota.spend(-300, 0)
    expect(quota.available(0)).toBe(300)
    quota.spend(-1e9, 0)
    expect(quota.available(0)).toBe(rate)
  })

  it('goes by another rate from the moment on that it is set', () => {
    const quota = quotaOf(rate)
    quota.spend(2 * rate, 0)
    quota.setRate(100 * rate, 500)
    expect(quota.waitMs(500)).toBe(105)
    quota.setRate(Number.POSITIVE_INFINITY, 500)
    expect(quota.available(500)).toBe(Number.POSITIVE_INFINITY)
    quota.setRate(rate, 600)
    expect(quota.available(600)).toBe(rate)
  })

  it('passes no more than the rate over a long time, whatever the size of the batches', () => {
    for (const batch of [10, 700, 5_000]) {
      const quota = quotaOf(rate)
      let passed = 0
      let nowMs = 0
      while (nowMs < 1_000_000) {
        if (quota.available(nowMs) > 0) {
          quota.spend(batch, nowMs)
          passed += batch
        } else nowMs += quota.waitMs(nowMs)
      }
      expect(passed).toBeLessThanOrEqual(rate * 1_000 + rate + batch)
      expect(passed).toBeGreaterThan(rate * 990)
    }
  })
})
