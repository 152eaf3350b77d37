/** From a frame to the chunks of its answer: header, version, decode, handle, encode. The same for every API. */
import { AssertionError, ByteReader, ByteWriter, DecodeError, type Logger } from '@naru/base'
import { kafkaErrors } from '@naru/model'
import {
  apis,
  hasResponseHeaderTags,
  type RequestHeader,
  readRequestHeader,
  skipHeaderTags,
} from '@naru/protocol'
import {
  type Answer,
  closeConnection,
  type Handler,
  noResponse,
  type RequestContext,
} from './handler.ts'

/** The chunks of a framed answer; undefined when the request has none; `close` ends the connection. */
export type Outcome = Buffer[] | undefined | typeof closeConnection

export interface Dispatch {
  /** Whether it may be started before earlier requests are answered. */
  readonly isPipelined: boolean
  start(context: Omit<RequestContext, 'apiVersion' | 'clientId'>): Outcome | Promise<Outcome>
}

export class Dispatcher {
  readonly #handlers = new Map<number, Handler>()
  readonly #logger: Logger
  readonly #onBug: (error: unknown) => void

  constructor(options: {
    handlers: readonly Handler[]
    logger: Logger
    /** A broken invariant in a handler: the process must end. */
    onBug: (error: unknown) => void
  }) {
    for (const handler of options.handlers) this.#handlers.set(handler.api.key, handler)
    this.#logger = options.logger
    this.#onBug = options.onBug
  }

  /** Reads a frame's header. Throws DecodeError when there is no answering it but by closing the connection. */
  prepare(frame: Buffer): Dispatch {
    const reader = new ByteReader(frame)
    const header = readRequestHeader(reader)
    const handler = this.#handlers.get(header.apiKey)
    if (handler === undefined) throw new DecodeError(`API key ${header.apiKey} is not offered`)
    if (!handler.api.has(header.apiVersion)) {
      if (handler.api.key === apis.apiVersions.key) return unsupportedApiVersions(header)
      const version = `${handler.api.name} version ${header.apiVersion}`
      throw new DecodeError(`${version} is not offered`)
    }
    if (handler.api.isFlexible(header.apiVersion)) skipHeaderTags(reader)
    const request = handler.api.decodeRequest(reader, header.apiVersion)
    return {
      isPipelined: handler.isPipelined,
      start: (context) => this.#start(handler, { header, request, context }),
    }
  }

  #start(
    handler: Handler,
    call: {
      header: RequestHeader
      request: unknown
      context: Omit<RequestContext, 'apiVersion' | 'clientId'>
    },
  ): Outcome | Promise<Outcome> {
    const { header, request } = call
    const context: RequestContext = {
      ...call.context,
      apiVersion: header.apiVersion,
      clientId: header.clientId ?? '',
    }
    try {
      const answer = handler.handle(request, context)
      if (!(answer instanceof Promise)) return encode(handler, header, answer)
      return answer
        .then((value) => encode(handler, header, value))
        .catch((error: unknown) => this.#failed(handler, header, error))
    } catch (error) {
      return this.#failed(handler, header, error)
    }
  }

  /** The one place where a stray error becomes what the client sees: its connection ends, and it tries again. */
  #failed(handler: Handler, header: RequestHeader, error: unknown): Outcome {
    if (error instanceof AssertionError) this.#onBug(error)
    this.#logger.error('request-failed', {
      api: handler.api.name,
      version: header.apiVersion,
      clientId: header.clientId,
      err: error,
    })
    return closeConnection
  }
}

function encode(handler: Handler, header: RequestHeader, answer: Answer<unknown>): Outcome {
  if (answer === noResponse) return undefined
  if (answer === closeConnection) return closeConnection
  const writer = new ByteWriter(256)
  writer.int32(header.correlationId)
  if (hasResponseHeaderTags(handler.api, header.apiVersion)) writer.unsignedVarint(0)
  handler.api.encodeResponse(writer, header.apiVersion, answer)
  return frame(writer)
}

function frame(writer: ByteWriter): Buffer[] {
  const length = Buffer.allocUnsafe(4)
  length.writeInt32BE(writer.position)
  return [length, ...writer.finishChunks()]
}

/** A version that we do not know: answered in version 0, which every client can read, with the range that we have (KIP-511). */
function unsupportedApiVersions(header: RequestHeader): Dispatch {
  const api = apis.apiVersions
  const writer = new ByteWriter(64)
  writer.int32(header.correlationId)
  api.encodeResponse(writer, 0, {
    errorCode: kafkaErrors.UNSUPPORTED_VERSION.code,
    apiKeys: [{ apiKey: api.key, minVersion: api.minVersion, maxVersion: api.maxVersion }],
    throttleTimeMs: 0,
    supportedFeatures: [],
    finalizedFeaturesEpoch: -1n,
    finalizedFeatures: [],
    zkMigrationReady: false,
  })
  return { isPipelined: false, start: () => frame(writer) }
}
