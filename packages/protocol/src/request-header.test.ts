import { ByteReader, ByteWriter, DecodeError } from '@naru/base'
import { expect, test } from 'vitest'
import { apis } from './apis/index.ts'
import {
  hasResponseHeaderTags,
  readRequestHeader,
  skipHeaderTags,
  writeRequestHeader,
} from './request-header.ts'

// Metadata, version 12, correlation id -7: written by Kafka.
const start = '0003000cfffffff9'

test.each([
  ['00096e6172752d74657374', 'naru-test'],
  ['0000', ''],
  ['0002c3bc', 'ü'],
  ['ffff', null],
])('readRequestHeader() reads the client id with a plain length: %s', (hex, clientId) => {
  const reader = new ByteReader(Buffer.from(start + hex, 'hex'))
  const expected = { apiKey: 3, apiVersion: 12, correlationId: -7, clientId }
  expect(readRequestHeader(reader)).toEqual(expected)
  expect(reader.remaining).toBe(0)
})

test.each(['', '00', 'fffe', '0005616263', '7fff'])(
  'readRequestHeader() refuses a client id that is cut off or negative: %s',
  (hex) => {
    const reader = new ByteReader(Buffer.from(start + hex, 'hex'))
    expect(() => readRequestHeader(reader)).toThrow(DecodeError)
  },
)

test('skipHeaderTags() leaves the reader at the body', () => {
  const reader = new ByteReader(Buffer.from('010502010263', 'hex'))
  skipHeaderTags(reader)
  expect(reader.int8()).toBe(0x63)
})

test('skipHeaderTags() refuses tags that are cut off', () => {
  for (const hex of ['', '01', '0105', '010502', '01050201', 'ffffffff0f']) {
    expect(() => skipHeaderTags(new ByteReader(Buffer.from(hex, 'hex')))).toThrow(DecodeError)
  }
})

test('writeRequestHeader() ends flexible versions with an empty tag section (KIP-482)', () => {
  const hexOf = (apiVersion: number) => {
    const writer = new ByteWriter()
    writeRequestHeader(writer, apis.metadata, { apiVersion, correlationId: -7, clientId: 'ü' })
    return writer.finish().toString('hex')
  }
  expect(hexOf(12)).toBe('0003000cfffffff90002c3bc00')
  expect(hexOf(8)).toBe('00030008fffffff90002c3bc')
})

test('hasResponseHeaderTags() is false for ApiVersions at every version (KIP-511)', () => {
  for (const version of [0, 1, 2, 3, 4]) {
    expect(hasResponseHeaderTags(apis.apiVersions, version)).toBe(false)
  }
  expect(hasResponseHeaderTags(apis.metadata, 8)).toBe(false)
  expect(hasResponseHeaderTags(apis.metadata, 9)).toBe(true)
})
