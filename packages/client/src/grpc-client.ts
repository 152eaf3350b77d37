/** Calls of `naru.admin.v1`, for what the Kafka protocol has no request for. All that loads gRPC here: imported when somebody calls. */
import { fileURLToPath } from 'node:url'
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js'
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

type Method = MethodDefinition<object, object>

/** One call over a connection of its own. Rejects as an answer of the Kafka port would, with the same errors. */
export async function callService(at: Address, call: GrpcCall): Promise<object> {
  const { path, requestSerialize, responseDeserialize } = methodOf(call)
  const client = new Client(addressText(at), credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_retries': 0,
  })
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

function methodOf({ service: name, method }: GrpcCall): Method {
  const loaded = loadSync(`naru/admin/v1/${files[name]}.proto`, {
    includeDirs: [folder],
    longs: String,
    enums: String,
    defaults: true,
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
  if (error.code === status.DEADLINE_EXCEEDED) {
    const text = `${where} did not answer in ${timeoutMs} ms`
    const options = { reason: 'REQUEST_TIMEOUT', at, outcome: 'unknown', cause: error } as const
    return new NaruError('NARU_TIMEOUT', text, options)
  }
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

/** How gRPC says that it had nothing to send a call over. */
const neverConnected = /^(No connection established|Name resolution failed)/
