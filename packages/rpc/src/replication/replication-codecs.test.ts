// The codec by hand against protobufjs, with the same proto file.
import { fileURLToPath } from 'node:url'
import { loadSync, type MethodDefinition, type ServiceDefinition } from '@grpc/proto-loader'
import { DecodeError } from '@naru/base'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { streamCodecs } from '../stream-codecs.ts'
import type { OutgoingFollowerFrame, OutgoingLeaderFrame } from './frames.ts'
import { replicationCodecs } from './replication-codecs.ts'

const { request, response } = replicationCodecs
const service = loadSync('naru/internal/v1/replication.proto', {
  includeDirs: [fileURLToPath(new URL('../../../../proto', import.meta.url))],
  longs: String,
  defaults: true,
})['naru.internal.v1.ReplicationService'] as ServiceDefinition
const replicate = service['Replicate'] as MethodDefinition<object, object>

const int32 = fc.oneof(fc.integer(), fc.constantFrom(0, -1, 127, 128, 16_383, 16_384))
const edges = [7n, 14n, 21n, 28n, 32n, 35n, 42n, 49n, 53n, 56n, 63n].flatMap((bits) =>
  [-1n, 0n, 1n].map((more) => BigInt.asIntN(64, (1n << bits) + more)),
)
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: 0n, max: 1_000_000n }),
  fc.constantFrom(0n, -1n, ...edges),
)
const text = fc.string({ unit: 'binary', maxLength: 200 })
const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each))
const listOf = <T>(element: fc.Arbitrary<T>) => fc.array(element, { maxLength: 5 })

const greeting = fc.record({
  clusterId: text,
  nodeId: int32,
  expectedNodeId: int32,
  brokerEpoch: int64,
  incarnationId: text,
})
const followerFrames: fc.Arbitrary<OutgoingFollowerFrame> = fc.record(
  {
    hello: greeting,
    subscriptions: listOf(
      fc.record({
        id: int32,
        topicId: text,
        partition: int32,
        leaderEpoch: int32,
        logEndOffset: int64,
        flushedOffset: int64,
        lastEpoch: int32,
        logStartOffset: fc.option(int64, { nil: undefined }),
      }),
    ),
    acknowledgements: listOf(fc.record({ id: int32, logEndOffset: int64, flushedOffset: int64 })),
    cancelled: listOf(int32),
    credits: listOf(fc.record({ id: int32, bytes: int32 })),
  },
  { requiredKeys: [] },
)
const leaderFrames: fc.Arbitrary<OutgoingLeaderFrame> = fc.record(
  {
    hello: greeting,
    accepted: listOf(fc.record({ id: int32, logStartOffset: int64, highWatermark: int64 })),
    diverging: listOf(fc.record({ id: int32, epoch: int32, endOffset: int64 })),
    refused: listOf(fc.record({ id: int32, errorCode: int32, logStartOffset: int64 })),
    batches: listOf(
      fc.record({ id: int32, logStartOffset: int64, highWatermark: int64, records: listOf(bytes) }),
    ),
  },
  { requiredKeys: [] },
)

/** As protobufjs has it: 64-bit integers as strings, records as one buffer. */
function asLoaded(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return value
  if (!Array.isArray(value)) {
    const entries = Object.entries(value).map(([name, each]) => {
      const isRecords = name === 'records' && Array.isArray(each)
      return [name, isRecords ? Buffer.concat(each) : asLoaded(each)]
    })
    return Object.fromEntries(entries)
  }
  return value.map(asLoaded)
}

const emptyFollower = {
  hello: null,
  subscriptions: [],
  acknowledgements: [],
  cancelled: [],
  credits: [],
}
const emptyLeader = { hello: null, accepted: [], diverging: [], refused: [], batches: [] }
const complete = (frame: object, empty: object) => ({ ...empty, ...(asLoaded(frame) as object) })
/** What was received, but with null for an absent message. */
const received = (frame: object | undefined) => {
  const { hello = null, ...rest } = frame as { hello?: object }
  return asLoaded({ hello, ...rest })
}

describe('the frames of followers', () => {
  it('are what protobufjs reads', () => {
    fc.assert(
      fc.property(followerFrames, (frame) => {
        const { frame: loaded } = replicate.requestDeserialize(request.encode(frame)) as {
          frame: object
        }
        expect(loaded).toEqual(complete(frame, emptyFollower))
      }),
    )
  })

  it('are read as protobufjs writes them', () => {
    fc.assert(
      fc.property(followerFrames, (frame) => {
        const written = replicate.requestSerialize({ frame: asLoaded(frame) as object })
        expect(received(request.decode(written))).toEqual(complete(frame, emptyFollower))
      }),
    )
  })
})

describe('the frames of leaders', () => {
  it('are what protobufjs reads', () => {
    fc.assert(
      fc.property(leaderFrames, (frame) => {
        const { frame: loaded } = replicate.responseDeserialize(response.encode(frame)) as {
          frame: object
        }
        expect(loaded).toEqual(complete(frame, emptyLeader))
      }),
    )
  })

  it('are read as protobufjs writes them', () => {
    fc.assert(
      fc.property(leaderFrames, (frame) => {
        const written = replicate.responseSerialize({ frame: asLoaded(frame) as object })
        expect(received(response.decode(written))).toEqual(complete(frame, emptyLeader))
      }),
    )
  })

  it('give records as a view of what came', () => {
    const parts = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('two')]
    const head = { id: 1, logStartOffset: 2n, highWatermark: -1n }
    const encoded = response.encode({ batches: [{ ...head, records: parts }] })
    const [batches] = response.decode(encoded)?.batches ?? []
    expect(batches).toEqual({ ...head, records: Buffer.from('onetwo') })
    expect(batches?.records.buffer).toBe(encoded.buffer)
  })
})

it('goes by the path of the method', () => {
  expect(streamCodecs().replication.path).toBe(replicate.path)
})

it('tells an empty frame from none', () => {
  for (const codec of [request, response]) {
    expect(codec.decode(codec.encode(undefined))).toBeUndefined()
    expect(codec.decode(codec.encode({}))).toBeDefined()
  }
})

/** A frame in its wrapper, both as bytes of fields. */
function wrapped(...fields: readonly number[]): Buffer {
  return Buffer.from([0x0a, fields.length, ...fields])
}

describe('bytes of others', () => {
  it('may have fields that are not known here', () => {
    const unknown = [
      [0x50, 0x80, 0x80, 0x01],
      [0x51, 1, 2, 3, 4, 5, 6, 7, 8],
      [0x52, 3, 1, 2, 3],
      [0x55, 1, 2, 3, 4],
    ]
    for (const field of unknown) {
      const frame = request.decode(wrapped(...field, 0x20, 5, ...field))
      expect(frame).toEqual({ ...emptyFollower, hello: undefined, cancelled: [5] })
    }
  })

  it('may have a list of numbers packed, or each by itself, or both', () => {
    const bytes = wrapped(0x20, 1, 0x22, 2, 2, 3, 0x20, 4, 0x22, 0)
    expect(request.decode(bytes)?.cancelled).toEqual([1, 2, 3, 4])
  })

  it.each([
    ['ends inside of a varint', wrapped(0x20, 0x80)],
    ['ends inside of a frame', Buffer.from([0x0a, 5, 0x20])],
    ['has a length beyond its message', wrapped(0x22, 2, 1)],
    ['has a varint of eleven bytes', wrapped(0x20, ...Array(10).fill(0x80), 1)],
    ['has a length of more than 32 bits', wrapped(0x22, ...Array(5).fill(0xff), 1)],
    ['has another wire type', wrapped(0x18, 1)],
    ['has a number for a frame', Buffer.from([0x08, 1])],
    ['has a group', wrapped(0x53, 0x54)],
    ['has a wire type that does not exist', wrapped(0x57)],
    ['has a field without a number', wrapped(0x00, 0x01)],
    ['has a fixed number that is cut off', wrapped(0x51, 1, 2, 3)],
  ])('are refused when one %s', (_, bytes) => {
    expect(() => request.decode(bytes)).toThrow(DecodeError)
  })

  it('are refused wherever they are cut off, or read as what they say', () => {
    fc.assert(
      fc.property(leaderFrames, fc.nat(), fc.nat({ max: 255 }), (frame, place, byte) => {
        const encoded = response.encode(frame)
        const at = place % encoded.length
        const cutOff = encoded.subarray(0, at)
        if (at > 0) expect(() => response.decode(cutOff)).toThrow(DecodeError)
        encoded[at] = byte
        try {
          response.decode(encoded)
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError)
        }
      }),
    )
  })
})
