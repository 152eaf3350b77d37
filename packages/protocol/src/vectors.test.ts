import { readdirSync, readFileSync } from 'node:fs'
import { ByteReader, ByteWriter } from '@naru/base'
import { describe, expect, test } from 'vitest'
import type { Api } from './api.ts'
import { apis } from './apis/index.ts'

const folder = new URL('../testdata/vectors/', import.meta.url)
const everyApi = Object.values(apis) as unknown as readonly Api<unknown, unknown>[]

interface Vector {
  readonly kind: 'request' | 'response'
  readonly version: number
  readonly variant: string
  readonly bytes: Buffer
  /** What Kafka says that it wrote: every field that the version carries. */
  readonly json: unknown
}

function vectorsOf(api: Api<unknown, unknown>): Vector[] {
  const lines = readFileSync(new URL(fileOf(api), folder), 'utf8')
    .trimEnd()
    .split('\n')
  return lines.map((line) => {
    const [kind, version, variant, hex, json] = line.split(' ')
    return {
      kind: kind as Vector['kind'],
      version: Number(version),
      variant: variant as string,
      bytes: Buffer.from(hex as string, 'hex'),
      json: json === undefined ? undefined : JSON.parse(json),
    }
  })
}

function fileOf(api: Api<unknown, unknown>): string {
  return `${api.name.replaceAll(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()}.txt`
}

function decode(api: Api<unknown, unknown>, { kind, version, bytes }: Vector): unknown {
  const reader = new ByteReader(bytes)
  return kind === 'request'
    ? api.decodeRequest(reader, version)
    : api.decodeResponse(reader, version)
}

function encode(api: Api<unknown, unknown>, vector: Vector, value: unknown): ByteWriter {
  const writer = new ByteWriter(16)
  if (vector.kind === 'request') api.encodeRequest(writer, vector.version, value)
  else api.encodeResponse(writer, vector.version, value)
  return writer
}

/** The decoded value in the form of Kafka's JSON, which gives only the size of records. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Buffer.isBuffer(value)) return ''
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]))
}

test('every API has vectors and every vector an API', () => {
  expect(readdirSync(folder).sort()).toEqual(everyApi.map(fileOf).sort())
})

describe.each(everyApi.map((api) => [api.name, api] as const))('%s', (_name, api) => {
  const vectors = vectorsOf(api)

  test('has vectors for every version', () => {
    for (const kind of ['request', 'response']) {
      const versions = new Set(vectors.filter((v) => v.kind === kind).map((v) => v.version))
      const expected = Array.from(
        { length: api.maxVersion - api.minVersion + 1 },
        (_, i) => api.minVersion + i,
      )
      expect([...versions]).toEqual(expected)
    }
  })

  test.each(vectors.filter((v) => v.json !== undefined))(
    'decode() gives the values that Kafka wrote for $kind $version',
    (vector) => {
      expect(plain(decode(api, vector))).toMatchObject(vector.json as object)
    },
  )

  test.each(vectors.filter((v) => v.variant !== 'unknown'))(
    'encode() gives the bytes that Kafka wrote for $kind $version $variant',
    (vector) => {
      const writer = encode(api, vector, decode(api, vector))
      expect(writer.position).toBe(vector.bytes.length)
      expect(Buffer.concat(writer.finishChunks()).toString('hex')).toBe(
        vector.bytes.toString('hex'),
      )
    },
  )

  const withUnknown = vectors.filter((v) => v.variant === 'unknown')
  test.runIf(withUnknown.length > 0).each(withUnknown)(
    'decode() skips tagged fields that it does not know for $kind $version (KIP-482)',
    (vector) => {
      const value = decode(api, vector)
      const writer = encode(api, vector, value)
      const bytes = Buffer.concat(writer.finishChunks())
      expect(bytes.length).toBeLessThan(vector.bytes.length)
      expect(decode(api, { ...vector, bytes })).toEqual(value)
    },
  )
})
