/** Calls of `naru.admin.v1`, for what the Kafka protocol has no request for. All that loads gRPC here: imported when somebody calls. */
import { fileURLToPath } from 'node:url'
import { type ChannelOptions, Client, credentials, type ServiceError, status } from '@grpc/grpc-js'
import { loadSync, type MethodDefinition } from '@grpc/proto-loader'
import type { Address, Clock } from '@naru/base'
import { type KafkaError, kafkaErrors } from '@naru/model'
import { addressText } from './diagnosis.ts'
import { errorReason } from './error-reason.ts'
import { NaruError, refusedBy } from './errors.ts'

const folder = fileURLToPath(new URL('../../../proto', import.meta.url))
/** The services, and the files that define them. */
const files = { ClusterService: 'cluster', PartitionService: 'partition' } as const

export interface GrpcCall {
  readonly service: keyof typeof files
  readonly method: string
  readonly request: object
  /** Completes "Cannot …". */
  readonly what: string
  readonly clock: Clock
  readonly timeoutMs: number
}

export interface GrpcWatch extends GrpcCall {
  readonly signal: AbortSignal
  /** The broker has taken the call. */
  readonly onOpen: () => void
}

type Method = MethodDefinition<object, object>

/** One call over a connection of its own. Rejects as an answer of the Kafka port would, with the same errors. */
export async function callService(at: Address, call: GrpcCall): Promise<object> {
  const { path, requestSerialize, responseDeserialize } = methodOf(call)
  const client = clientAt(at)
  const options = { deadline: call.clock.now() + call.timeoutMs }
  try {
    return await new Promise((resolve, reject) => {
      const answered = (error: ServiceError | null, answer: object | undefined) =>
        error === null ? resolve(answer ?? {}) : reject(failureOf(error, at, call))
      client.makeUnaryRequest(
        ...([path, requestSerialize, responseDeserialize, call.request] as const),
        ...([options, answered] as const),
      )
    })
  } finally {
    client.close()
  }
}

/**
 * One call with many answers. It is read no faster than it is asked for, and ends with the signal; a broker that is silent at the
 * beginning, or does not answer a ping later, has broken off.
 */
export async function* watchService(at: Address, call: GrpcWatch): AsyncGenerator<object> {
  const { clock, timeoutMs, signal, onOpen } = call
  const { path, requestSerialize, responseDeserialize } = methodOf(call)
  const client = clientAt(at, {
    'grpc.keepalive_time_ms': timeoutMs,
    'grpc.keepalive_timeout_ms': timeoutMs,
  })
  const stream = client.makeServerStreamRequest(
    ...([path, requestSerialize, responseDeserialize, call.request] as const),
  )
  const cancel = () => stream.cancel()
  let isLate = false
  const timer = clock.setTimer(timeoutMs, () => {
    isLate = true
    cancel()
  })
  stream.once('metadata', () => {
    timer.cancel()
    onOpen()
  })
  signal.addEventListener('abort', cancel)
  if (signal.aborted) cancel()
  try {
    for await (const message of stream) yield message
  } catch (error) {
    if (isLate) throw unanswered(at, timeoutMs, error)
    if (!signal.aborted) throw failureOf(error as ServiceError, at, call)
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', cancel)
    cancel()
    client.close()
  }
}

function clientAt(at: Address, options: ChannelOptions = {}): Client {
  return new Client(addressText(at), credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
    ...options,
  })
}

function methodOf({ service: name, method }: GrpcCall): Method {
  const loaded = loadSync(`naru/admin/v1/${files[name]}.proto`, {
    includeDirs: [folder],
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  })
  const service = loaded[`naru.admin.v1.${name}`] as Readonly<Record<string, Method>>
  return service[method] as Method
}

function failureOf(error: ServiceError, at: Address, { what, timeoutMs }: GrpcCall): NaruError {
  const [bytes] = error.metadata.get('grpc-status-details-bin')
  const reason = Buffer.isBuffer(bytes) ? errorReason(bytes) : undefined
  const kafka = (kafkaErrors as Readonly<Record<string, KafkaError>>)[reason ?? '']
  const where = `gRPC at ${addressText(at)}`
  if (kafka !== undefined) return refusedBy(kafka, what, { message: error.details, at })
  if (error.code === status.DEADLINE_EXCEEDED) return unanswered(at, timeoutMs, error)
  if (error.code === status.UNIMPLEMENTED) {
    const text = `${where} does not know what was asked: ${error.details}`
    return new NaruError('NARU_UNSUPPORTED', text, { reason: 'UNSUPPORTED_API', at, cause: error })
  }
  const isUnsent = error.code === status.UNAVAILABLE && neverConnected.test(error.details)
  const text = `${where} ${isUnsent ? 'cannot be reached' : 'broke off'}: ${error.details}`
  const known = isUnsent
    ? ({ reason: 'NO_ROUTE', outcome: 'not-applied' } as const)
    : ({ reason: 'CONNECTION_LOST', outcome: 'unknown' } as const)
  return new NaruError('NARU_UNREACHABLE', text, { ...known, at, cause: error })
}

function unanswered(at: Address, timeoutMs: number, cause: unknown): NaruError {
  const text = `gRPC at ${addressText(at)} did not answer in ${timeoutMs} ms`
  const options = { reason: 'REQUEST_TIMEOUT', at, outcome: 'unknown', cause } as const
  return new NaruError('NARU_TIMEOUT', text, options)
}

/** How gRPC says that it had nothing to send a call over. */
const neverConnected = /^(No connection established|Name resolution failed)/
