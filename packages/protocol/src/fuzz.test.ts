import { readFileSync } from 'node:fs'
import { ByteReader, ByteWriter, DecodeError } from '@naru/base'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Api } from './api.ts'
import { apis } from './apis/index.ts'

const everyApi = Object.values(apis) as unknown as readonly Api<unknown, unknown>[]

interface Decoder {
  readonly title: string
  readonly decode: (bytes: Uint8Array) => unknown
  /** A message that Kafka wrote. */
  readonly sample: Buffer
}

const decoders: readonly Decoder[] = everyApi.flatMap((api) => {
  const file = `${api.name.replaceAll(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()}.txt`
  const lines = readFileSync(new URL(`../testdata/vectors/${file}`, import.meta.url), 'utf8')
  return lines
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , variant]) => variant === 'full')
    .map(([kind, versionText, , hex]) => {
      const version = Number(versionText)
      return {
        title: `${api.name} ${kind} ${version}`,
        sample: Buffer.from(hex as string, 'hex'),
        decode(bytes: Uint8Array) {
          const reader = new ByteReader(Buffer.from(bytes))
          return kind === 'request'
            ? api.decodeRequest(reader, version)
            : api.decodeResponse(reader, version)
        },
      }
    })
})

/** Whether the bytes decode; any error but a DecodeError fails the test. */
function decodes(decoder: Decoder, bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes)
    return true
  } catch (error) {
    if (error instanceof DecodeError) return false
    throw new Error(`${decoder.title}: ${Buffer.from(bytes).toString('hex')}`, { cause: error })
  }
}

test('every decoder gives a value or a DecodeError for any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
      for (const decoder of decoders) decodes(decoder, bytes)
    }),
    { numRuns: 60 },
  )
})

test('every decoder gives a value or a DecodeError for a message with bytes overwritten', () => {
  const overwritten = fc.record({
    at: fc.nat({ max: 2000 }),
    bytes: fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 8 }),
      fc.constantFrom(...['ffffffff', '7fffffff', '80000000', 'ffffffff0f', '00'].map(fromHex)),
    ),
  })
  fc.assert(
    fc.property(fc.array(overwritten, { minLength: 1, maxLength: 3 }), (changes) => {
      for (const decoder of decoders) {
        const message = Buffer.from(decoder.sample)
        for (const { at, bytes } of changes) message.set(bytesThatFit(message, at, bytes))
        decodes(decoder, message)
      }
    }),
    { numRuns: 60 },
  )
})

function fromHex(hex: string): Uint8Array {
  return Buffer.from(hex, 'hex')
}

function bytesThatFit(message: Buffer, at: number, bytes: Uint8Array): Uint8Array {
  const from = at % message.length
  const changed = Buffer.from(message)
  changed.set(bytes.subarray(0, message.length - from), from)
  return changed
}

test('no decoder takes a message that is cut short', () => {
  for (const decoder of decoders) {
    for (let size = 0; size < decoder.sample.length; size += 1 + (size >> 4)) {
      expect(decodes(decoder, decoder.sample.subarray(0, size)), decoder.title).toBe(false)
    }
  }
})

describe('round trips', () => {
  const text = fc.string({ unit: 'binary', maxLength: 20 })
  const nullableText = fc.option(text)
  const int32 = fc.integer()
  const int16 = fc.integer({ min: -32768, max: 32767 })
  const int64 = fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n })
  const bytes = fc.uint8Array({ maxLength: 1500 }).map((array) => Buffer.from(array))
  const topicId = fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((id) => Buffer.from(id).toString('base64url'))
  const few = { maxLength: 3 }

  test('a Produce request comes back as it was', () => {
    const request = fc.record({
      transactionalId: nullableText,
      acks: int16,
      timeoutMs: int32,
      topicData: fc.array(
        fc.record({
          name: fc.constant(''),
          topicId,
          partitionData: fc.array(fc.record({ index: int32, records: fc.option(bytes) }), few),
        }),
        few,
      ),
    })
    fc.assert(
      fc.property(request, (value) => {
        const writer = new ByteWriter(32 * 1024)
        apis.produce.encodeRequest(writer, 13, value)
        const reader = new ByteReader(Buffer.concat(writer.finishChunks()))
        expect(apis.produce.decodeRequest(reader, 13)).toEqual(value)
      }),
    )
  })

  test('a CreateTopics request comes back as it was in every version', () => {
    const request = fc.record({
      topics: fc.array(
        fc.record({
          name: text,
          numPartitions: int32,
          replicationFactor: int16,
          assignments: fc.array(
            fc.record({ partitionIndex: int32, brokerIds: fc.array(int32, few) }),
            few,
          ),
          configs: fc.array(fc.record({ name: text, value: nullableText }), few),
        }),
        few,
      ),
      timeoutMs: int32,
      validateOnly: fc.boolean(),
    })
    fc.assert(
      fc.property(request, fc.integer({ min: 2, max: 7 }), (value, version) => {
        const writer = new ByteWriter(32 * 1024)
        apis.createTopics.encodeRequest(writer, version, value)
        const reader = new ByteReader(writer.finish())
        expect(apis.createTopics.decodeRequest(reader, version)).toEqual(value)
      }),
    )
  })

  test('an InitProducerId response comes back as it was in every version', () => {
    const response = fc.record({
      throttleTimeMs: int32,
      errorCode: int16,
      producerId: int64,
      producerEpoch: int16,
    })
    fc.assert(
      fc.property(response, fc.integer({ min: 0, max: 5 }), (value, version) => {
        const writer = new ByteWriter()
        apis.initProducerId.encodeResponse(writer, version, value)
        const reader = new ByteReader(writer.finish())
        expect(apis.initProducerId.decodeResponse(reader, version)).toEqual(value)
      }),
    )
  })
})
