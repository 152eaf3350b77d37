import zlib from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readBatchHeader } from './batch-header.ts'
import { compressionTypes, decompress } from './compression.ts'
import {
  batchesOf,
  encodeBatch,
  firstRecordSince,
  newestRecord,
  recompressBatch,
  recordsOf,
} from './record-batch.ts'

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array))
const record = fc.record({
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.record({ key: fc.string(), value: fc.option(bytes) }), { maxLength: 3 }),
  timestamp: fc.bigInt({ min: 0n, max: 2n ** 50n }),
})

it('recordsOf() gives back what encodeBatch() took, with every codec', () => {
  const input = fc.tuple(
    fc.array(record, { minLength: 1, maxLength: 20 }),
    fc.constantFrom(...compressionTypes),
    fc.bigInt({ min: 0n, max: 2n ** 60n }),
  )
  fc.assert(
    fc.property(input, ([records, compression, baseOffset]) => {
      const batch = encodeBatch(records, { compression, baseOffset })
      const decoded = [...recordsOf(batch)]
      expect(decoded).toEqual(
        records.map((each, index) => ({ ...each, offset: baseOffset + BigInt(index) })),
      )
      expect([...batchesOf(Buffer.concat([batch, batch, batch.subarray(0, 40)]))]).toHaveLength(2)
    }),
  )
})

it('recompressBatch() keeps offsets and producer', () => {
  const records = [{ key: null, value: Buffer.from('v'.repeat(100)), headers: [], timestamp: 5n }]
  const options = { baseOffset: 9n, producerId: 3n, producerEpoch: 1, baseSequence: 7 }
  const batch = recompressBatch(encodeBatch(records, options), 'lz4')
  const { baseOffset, producerId, producerEpoch, baseSequence, attributes } = readBatchHeader(batch)
  expect({ baseOffset, producerId, producerEpoch, baseSequence }).toEqual(options)
  expect(attributes & 7).toBe(3)
  expect([...recordsOf(batch)][0]?.value).toEqual(Buffer.from('v'.repeat(100)))
})

it('firstRecordSince() and newestRecord() look inside a batch', () => {
  const at = (timestamp: bigint) => ({ key: null, value: null, headers: [], timestamp })
  const batch = encodeBatch([at(10n), at(30n), at(20n), at(30n)], { baseOffset: 100n })
  const since = (timestamp: bigint, offset = 0n) => firstRecordSince(batch, { timestamp, offset })
  expect(since(11n)?.offset).toBe(101n)
  expect(since(11n, 102n)?.offset).toBe(102n)
  expect(since(21n, 102n)?.offset).toBe(103n)
  expect(since(31n)).toBeUndefined()
  expect(newestRecord(batch)?.offset).toBe(101n)
})

it('decompress() refuses a bomb instead of unpacking it', () => {
  const zeros = Buffer.alloc(4 << 20)
  const bombs = { gzip: zlib.gzipSync(zeros), zstd: zlib.zstdCompressSync(zeros) }
  for (const [type, bomb] of Object.entries(bombs)) {
    expect(() => decompress(type as 'gzip', bomb, 1 << 20)).toThrow('Cannot decompress')
  }
  const snappy = encodeBatch([{ key: null, value: zeros, headers: [], timestamp: 0n }], {
    compression: 'snappy',
  })
  expect(() => decompress('snappy', snappy.subarray(61), 1 << 20)).toThrow('more than')
})
