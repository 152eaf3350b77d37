import { ByteReader, ByteWriter, DecodeError } from '@naru/base'
import { expect, expectTypeOf, test } from 'vitest'
import { defineApi, type RequestOf, type ResponseOf } from './api.ts'
import { apis } from './apis/index.ts'
import * as s from './schema.ts'

const sample = defineApi({
  key: 99,
  name: 'Sample',
  versions: [1, 3],
  advertisedMin: 0,
  flexibleSince: 3,
  request: s.struct({ a: s.int8, b: s.since(2, s.nullableString, null) }),
  response: s.struct({ offset: s.int64 }),
})

test('defineApi() infers the values from the schema', () => {
  expectTypeOf<RequestOf<typeof sample>>().toEqualTypeOf<{ a: number; b: string | null }>()
  expectTypeOf<ResponseOf<typeof sample>>().toEqualTypeOf<{ offset: bigint }>()
})

test('has() is about codecs and advertisedMin about what clients are told', () => {
  expect([0, 1, 3, 4].map((version) => sample.has(version))).toEqual([false, true, true, false])
  expect(sample.advertisedMin).toBe(0)
  expect(apis.fetch.advertisedMin).toBe(4)
})

test('isFlexible() holds from the first flexible version on', () => {
  expect([1, 2, 3].map((version) => sample.isFlexible(version))).toEqual([false, false, true])
})

test('decodeRequest() throws RangeError when asked for a version without a codec', () => {
  for (const version of [-1, 0, 4]) {
    expect(() => sample.decodeRequest(new ByteReader(Buffer.alloc(9)), version)).toThrow(RangeError)
  }
})

test('decodeRequest() leaves bytes after the message alone, decodeResponse() refuses them', () => {
  const exact = sample.decodeRequest(new ByteReader(Buffer.of(1)), 1)
  expect(sample.decodeRequest(new ByteReader(Buffer.of(1, 2)), 1)).toEqual(exact)
  expect(() => sample.decodeResponse(new ByteReader(Buffer.alloc(9)), 1)).toThrow(DecodeError)
})

test('Produce advertises versions that it refuses (KAFKA-18659), nobody else does', () => {
  const differing = Object.values(apis).filter((api) => api.advertisedMin !== api.minVersion)
  expect(differing.map((api) => api.name)).toEqual(['Produce'])
  expect(apis.produce.advertisedMin).toBe(0)
})

test('every API has a key and a name of its own', () => {
  const all = Object.values(apis)
  expect(new Set(all.map((api) => api.key)).size).toBe(all.length)
  expect(new Set(all.map((api) => api.name)).size).toBe(all.length)
})

test('Metadata takes null for all topics from version 1 and a null name from version 10', () => {
  const decode = (hex: string, version: number) =>
    apis.metadata.decodeRequest(new ByteReader(Buffer.from(hex, 'hex')), version)
  expect(() => decode('ffffffff', 0)).toThrow(DecodeError)
  expect(decode('ffffffff', 1).topics).toBeNull()
  expect(() => decode('02000001000000', 9)).toThrow(DecodeError)
  expect(decode(`02${'00'.repeat(16)}000001000000`.slice(0, -2), 11).topics?.[0]?.name).toBeNull()
})

test('encodeResponse() writes what decodeResponse() reads', () => {
  const writer = new ByteWriter()
  sample.encodeResponse(writer, 3, { offset: 5n })
  expect(writer.finish().toString('hex')).toBe('000000000000000500')
  expect(sample.decodeResponse(new ByteReader(writer.finish()), 3)).toEqual({ offset: 5n })
})
