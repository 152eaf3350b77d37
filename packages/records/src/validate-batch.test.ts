import { crc32c } from '@naru/base'
import { kafkaErrors } from '@naru/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compressionTypes } from './compression.ts'
import { encodeBatch, type Record } from './record-batch.ts'
import { type ValidationRules, validateBatch } from './validate-batch.ts'

const rules: ValidationRules = {
  produceVersion: 9,
  maxMessageBytes: 1_000_000,
  needsKeys: false,
  timestamps: undefined,
}

function record(value: string, key: string | null = null): Record {
  return {
    key: key === null ? null : Buffer.from(key),
    value: Buffer.from(value),
    headers: [],
    timestamp: 1_000n,
  }
}

const three = [
  record('one'),
  record('two', 'k'),
  { ...record('three'), headers: [{ key: 'h', value: null }] },
]

/** The error of a batch after `change`, with a checksum that is right again. */
function errorAfter(change: (batch: Buffer) => void, options: Partial<ValidationRules> = {}) {
  const batch = encodeBatch(three)
  change(batch)
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
  return validateBatch(batch, { ...rules, ...options }).refusal?.error
}

describe('validateBatch()', () => {
  it.each(compressionTypes)('takes a batch with %s compression', (compression) => {
    const validation = validateBatch(encodeBatch(three, { compression }), rules)
    expect(validation.refusal).toBeUndefined()
  })

  it('refuses a wrong checksum, a batch that is cut off and a second batch', () => {
    const batch = encodeBatch(three)
    const damaged = Buffer.from(batch)
    damaged[70] = (damaged[70] as number) ^ 1
    const errorOf = (bytes: Buffer) => validateBatch(bytes, rules).refusal?.error
    expect(errorOf(damaged)).toBe(kafkaErrors.CORRUPT_MESSAGE)
    for (const length of [0, 11, 16, 40, batch.length - 1]) {
      expect(errorOf(batch.subarray(0, length))).toBe(kafkaErrors.INVALID_RECORD)
    }
    expect(errorOf(Buffer.concat([batch, batch]))).toBe(kafkaErrors.INVALID_RECORD)
    expect(errorAfter((bytes) => bytes.writeInt32BE(5, 8))).toBe(kafkaErrors.CORRUPT_MESSAGE)
    expect(errorAfter((bytes) => bytes.writeInt32BE(30, 8))).toBe(kafkaErrors.CORRUPT_MESSAGE)
  })

  it('refuses old message formats and batches that were given an offset', () => {
    expect(errorAfter((batch) => batch.writeInt8(1, 16))).toBe(kafkaErrors.INVALID_RECORD)
    expect(errorAfter((batch) => batch.writeBigInt64BE(7n, 0))).toBe(kafkaErrors.INVALID_RECORD)
    expect(errorAfter((batch) => batch.writeInt8(3, 16))).toBe(kafkaErrors.CORRUPT_MESSAGE)
  })

  it('refuses counts that are not those of the records', () => {
    expect(errorAfter((batch) => batch.writeInt32BE(2, 57))).toBe(kafkaErrors.INVALID_RECORD)
    const fewer = (batch: Buffer) => {
      batch.writeInt32BE(1, 23)
      batch.writeInt32BE(2, 57)
    }
    expect(errorAfter(fewer)).toBe(kafkaErrors.INVALID_RECORD)
    const more = (batch: Buffer) => {
      batch.writeInt32BE(3, 23)
      batch.writeInt32BE(4, 57)
    }
    expect(errorAfter(more)).toBe(kafkaErrors.INVALID_RECORD)
  })

  it('refuses control batches, unknown codecs, and producer ids without a sequence', () => {
    expect(errorAfter((batch) => batch.writeInt16BE(32, 21))).toBe(kafkaErrors.INVALID_RECORD)
    expect(errorAfter((batch) => batch.writeInt16BE(7, 21))).toBe(
      kafkaErrors.UNSUPPORTED_COMPRESSION_TYPE,
    )
    expect(errorAfter((batch) => batch.writeInt16BE(1, 21))).toBe(kafkaErrors.INVALID_RECORD)
    expect(errorAfter((batch) => batch.writeBigInt64BE(5n, 43))).toBe(kafkaErrors.INVALID_RECORD)
  })

  it('refuses a record whose lengths do not add up, and names it', () => {
    const batch = encodeBatch([record('aaaa'), record('bbbb')])
    batch[61] = (batch[61] as number) + 2
    batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
    const { refusal } = validateBatch(batch, rules)
    expect(refusal?.error).toBe(kafkaErrors.INVALID_RECORD)
    expect(refusal?.message).toContain('Record 0')
  })

  it('holds the size, the timestamps and the keys to the topic', () => {
    const errorOf = (options: Partial<ValidationRules>) =>
      validateBatch(encodeBatch(three), { ...rules, ...options }).refusal?.error
    expect(errorOf({ maxMessageBytes: 50 })).toBe(kafkaErrors.MESSAGE_TOO_LARGE)
    expect(errorOf({ needsKeys: true })).toBe(kafkaErrors.INVALID_RECORD)
    const at = (nowMs: bigint) => ({ timestamps: { nowMs, beforeMaxMs: 100n, afterMaxMs: 100n } })
    expect(errorOf(at(1_050n))).toBeUndefined()
    expect(errorOf(at(1_101n))).toBe(kafkaErrors.INVALID_TIMESTAMP)
    expect(errorOf(at(899n))).toBe(kafkaErrors.INVALID_TIMESTAMP)
  })

  it.each(compressionTypes)(
    'holds every record of %s to the time, and names those that fail',
    (compression) => {
      const times = [1_000n, 500n, 1_001n, 1_500n, -1n]
      const records = times.map((timestamp) => ({ ...record('x'), timestamp }))
      const timestamps = { nowMs: 1_000n, beforeMaxMs: 100n, afterMaxMs: 100n }
      const refusalOf = (...indexes: number[]) => {
        const chosen = indexes.map((index) => records[index]!)
        return validateBatch(encodeBatch(chosen, { compression }), { ...rules, timestamps }).refusal
      }
      expect(refusalOf(0, 1, 2, 3, 4)?.error).toBe(kafkaErrors.INVALID_TIMESTAMP)
      expect(refusalOf(0, 1, 2, 3, 4)?.records?.map(({ index }) => index)).toEqual([1, 3])
      expect(refusalOf(0, 1, 2)?.records?.map(({ index }) => index)).toEqual([1])
      expect(refusalOf(0, 1, 4)?.records?.map(({ index }) => index)).toEqual([1])
      expect(refusalOf(2, 3)?.records?.map(({ index }) => index)).toEqual([1])
      expect(refusalOf(0, 2)).toBeUndefined()
      expect(refusalOf(0, 4)).toBeUndefined()
      const beyond = [record('x'), { ...record('x'), timestamp: -(2n ** 62n) }]
      const wide = { ...timestamps, beforeMaxMs: 2n ** 63n - 1n }
      const far = validateBatch(encodeBatch(beyond), { ...rules, timestamps: wide })
      expect(far.refusal?.error).toBe(kafkaErrors.INVALID_TIMESTAMP)
    },
  )

  it('tells the largest timestamp of the records, whatever the header says', () => {
    const records = [1_000n, 990n, 123_456n, 4_000n].map((timestamp) => ({
      ...record('x'),
      timestamp,
    }))
    const batch = encodeBatch(records)
    batch.writeBigInt64BE(9_999_999n, 35)
    batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
    const validation = validateBatch(batch, rules)
    expect(validation).toMatchObject({ newestTimestamp: 123_456n })
  })

  it('leaves LogAppendTime to the broker', () => {
    const stamped = (options: Partial<ValidationRules>) =>
      errorAfter((batch) => batch.writeInt16BE(8, 21), options)
    expect(stamped({ timestamps: undefined })).toBe(kafkaErrors.INVALID_TIMESTAMP)
    const timestamps = { nowMs: 1_000n, beforeMaxMs: 100n, afterMaxMs: 100n }
    expect(stamped({ timestamps })).toBeUndefined()
  })

  it('takes zstd from Produce version 7 on (KIP-110)', () => {
    const batch = encodeBatch(three, { compression: 'zstd' })
    expect(validateBatch(batch, { ...rules, produceVersion: 6 }).refusal?.error).toBe(
      kafkaErrors.UNSUPPORTED_COMPRESSION_TYPE,
    )
  })

  it('answers any bytes, never throws', () => {
    const anyBytes = fc.uint8Array({ maxLength: 300 })
    const mutated = fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom(...compressionTypes))
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(validateBatch(Buffer.from(bytes), rules)).toBeDefined()
      }),
    )
    fc.assert(
      fc.property(mutated, ([at, byte, compression]) => {
        const batch = encodeBatch(three, { compression })
        batch[21 + (at % (batch.length - 21))] = byte
        batch.writeUInt32BE(crc32c(batch.subarray(21)), 17)
        expect(validateBatch(batch, rules)).toBeDefined()
      }),
      { numRuns: 500 },
    )
  })
})
