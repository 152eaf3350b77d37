import { fromJSON, type ServiceDefinition } from '@grpc/proto-loader'
import { kafkaErrors } from '@naru/model'
import { describe, expect, it } from 'vitest'
import { statusOf } from './error-map.ts'
import { type StatusCodeName, statusCodes } from './status-codes.ts'

const {
  INVALID_REQUEST,
  LEADER_NOT_AVAILABLE,
  NONE,
  NOT_CONTROLLER,
  NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  REQUEST_TIMED_OUT,
  THROTTLING_QUOTA_EXCEEDED,
  TOPIC_ALREADY_EXISTS,
  UNKNOWN_SERVER_ERROR,
  VOTER_NOT_FOUND,
} = kafkaErrors

describe('a Kafka error', () => {
  it.each(Object.values(kafkaErrors))('$name has a status of its own choice', (error) => {
    const { code } = statusOf({ error }, 'r')
    expect(code).not.toBe(statusCodes.UNKNOWN)
    expect(code === statusCodes.OK).toBe(error === NONE)
  })

  const chosen: readonly [keyof typeof kafkaErrors, StatusCodeName][] = [
    ['UNKNOWN_TOPIC_OR_PARTITION', 'NOT_FOUND'],
    ['TOPIC_ALREADY_EXISTS', 'ALREADY_EXISTS'],
    ['NOT_LEADER_OR_FOLLOWER', 'FAILED_PRECONDITION'],
    ['NOT_CONTROLLER', 'FAILED_PRECONDITION'],
    ['LEADER_NOT_AVAILABLE', 'UNAVAILABLE'],
    ['NOT_ENOUGH_REPLICAS', 'UNAVAILABLE'],
    ['REQUEST_TIMED_OUT', 'DEADLINE_EXCEEDED'],
    ['OFFSET_OUT_OF_RANGE', 'OUT_OF_RANGE'],
    ['MESSAGE_TOO_LARGE', 'INVALID_ARGUMENT'],
    ['POLICY_VIOLATION', 'INVALID_ARGUMENT'],
    ['TOPIC_AUTHORIZATION_FAILED', 'PERMISSION_DENIED'],
    ['SASL_AUTHENTICATION_FAILED', 'UNAUTHENTICATED'],
    ['THROTTLING_QUOTA_EXCEEDED', 'RESOURCE_EXHAUSTED'],
    ['REBALANCE_IN_PROGRESS', 'ABORTED'],
    ['CONCURRENT_TRANSACTIONS', 'ABORTED'],
    ['CORRUPT_MESSAGE', 'DATA_LOSS'],
    ['KAFKA_STORAGE_ERROR', 'INTERNAL'],
    ['UNKNOWN_SERVER_ERROR', 'INTERNAL'],
  ]
  it.each(chosen)('%s is %s', (name, code) => {
    expect(statusOf({ error: kafkaErrors[name] }, 'r').code).toBe(statusCodes[code])
  })

  it('is never one to repeat blindly when only another broker can do it', () => {
    const { details } = statusOf({ error: NOT_CONTROLLER, metadata: { leader_id: '2' } }, 'r')
    expect(details.map(({ type }) => type)).not.toContain('RetryInfo')
    expect(details[0]).toMatchObject({ metadata: { kafka_code: '41', leader_id: '2' } })
  })

  it('says when to come back where time is the cure', () => {
    const retry = (failure: Parameters<typeof statusOf>[0]) =>
      statusOf(failure, 'r').details.find(({ type }) => type === 'RetryInfo')
    expect(retry({ error: LEADER_NOT_AVAILABLE })).toMatchObject({ retryAfterMs: 100 })
    expect(retry({ error: THROTTLING_QUOTA_EXCEEDED, retryAfterMs: 2_500 })).toMatchObject({
      retryAfterMs: 2_500,
    })
    expect(retry({ error: TOPIC_ALREADY_EXISTS })).toBeUndefined()
  })

  it.each([REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS_AFTER_APPEND])(
    '$name says that the outcome is not known',
    (error) => {
      expect(statusOf({ error }, 'r').details[0]).toMatchObject({
        metadata: { outcome: 'UNKNOWN' },
      })
    },
  )

  it('has its own description where there is no better message', () => {
    expect(statusOf({ error: VOTER_NOT_FOUND }, 'r').message).toBe('The voter is not in the set')
    expect(statusOf({ error: VOTER_NOT_FOUND, message: 'No 7' }, 'r').message).toBe('No 7')
  })
})

describe('the bytes of the details', () => {
  const string = (id: number) => ({ type: 'string', id })
  const types: Record<string, object> = {
    Status: {
      fields: {
        code: { type: 'int32', id: 1 },
        message: string(2),
        details: { type: 'Any', id: 3, rule: 'repeated' },
      },
    },
    Any: { fields: { typeUrl: string(1), value: { type: 'bytes', id: 2 } } },
    ErrorInfo: {
      fields: {
        reason: string(1),
        domain: string(2),
        metadata: { keyType: 'string', type: 'string', id: 3 },
      },
    },
    Duration: { fields: { seconds: { type: 'int64', id: 1 }, nanos: { type: 'int32', id: 2 } } },
    RetryInfo: { fields: { retryDelay: { type: 'Duration', id: 1 } } },
    Violation: { fields: { field: string(1), description: string(2) } },
    BadRequest: { fields: { fieldViolations: { type: 'Violation', id: 1, rule: 'repeated' } } },
    Link: { fields: { description: string(1), url: string(2) } },
    Help: { fields: { links: { type: 'Link', id: 1, rule: 'repeated' } } },
    RequestInfo: { fields: { requestId: string(1), servingData: string(2) } },
  }
  // Only services can decode: one with a method for each type.
  const methods = Object.fromEntries(
    Object.keys(types).map((name) => [name, { requestType: name, responseType: name }]),
  )
  const loaded = fromJSON({ nested: { ...types, Decoder: { methods } } } as never, {
    longs: Number,
    defaults: true,
  })
  const decode = (type: string, bytes: Buffer) =>
    (loaded['Decoder'] as ServiceDefinition)[type]!.requestDeserialize(bytes) as never

  it('are what protobuf makes of google.rpc.Status', () => {
    const message = 'Größe: 日本'
    const failures = [
      { error: INVALID_REQUEST, message, field: 'node_id', metadata: { topic: 'a'.repeat(300) } },
      { error: LEADER_NOT_AVAILABLE, message, retryAfterMs: 61_250 },
    ]
    const found = failures.map((failure) => {
      const { code, detailsBytes } = statusOf(failure, 'abc')
      const status: {
        code: number
        message: string
        details: { typeUrl: string; value: Buffer }[]
      } = decode('Status', detailsBytes)
      expect(status).toMatchObject({ code, message })
      return Object.fromEntries(
        status.details.map(({ typeUrl, value }) => {
          const [prefix, name] = typeUrl.split('google.rpc.')
          expect(prefix).toBe('type.googleapis.com/')
          return [name, decode(name!, value)]
        }),
      )
    })
    const request = { RequestInfo: { requestId: 'abc', servingData: '' } }
    expect(found).toEqual([
      {
        ErrorInfo: {
          reason: 'INVALID_REQUEST',
          domain: 'naru.dev',
          metadata: { kafka_code: '42', topic: 'a'.repeat(300) },
        },
        BadRequest: { fieldViolations: [{ field: 'node_id', description: message }] },
        Help: { links: [{ description: 'naru errors INVALID_REQUEST', url: '' }] },
        ...request,
      },
      {
        ErrorInfo: {
          reason: 'LEADER_NOT_AVAILABLE',
          domain: 'naru.dev',
          metadata: { kafka_code: '5' },
        },
        RetryInfo: { retryDelay: { seconds: 61, nanos: 250_000_000 } },
        Help: { links: [{ description: 'naru errors LEADER_NOT_AVAILABLE', url: '' }] },
        ...request,
      },
    ])
  })

  it('are small enough for a trailer, whatever the message', () => {
    const { detailsBytes, message } = statusOf(
      { error: UNKNOWN_SERVER_ERROR, message: 'x'.repeat(100_000), field: 'f' },
      'r',
    )
    expect(detailsBytes.length).toBeLessThan(4_096)
    expect(message.length).toBeLessThanOrEqual(1_000)
  })
})
