/** One connection to a broker: requests with correlation ids, versions agreed at the start, time-outs, an end that fails what waits. */
import {
  type Address,
  ByteReader,
  type ByteSocket,
  type ByteTransport,
  ByteWriter,
  type Clock,
  DecodeError,
  type Timer,
  TransportError,
} from '@naru/base'
import {
  type Api,
  apis,
  FrameSplitter,
  hasResponseHeaderTags,
  skipHeaderTags,
  writeRequestHeader,
} from '@naru/protocol'
import { NaruError } from './errors.ts'

const responseBytesMax = 256 << 20

interface Waiting {
  readonly deliver: (frame: Buffer) => void
  readonly fail: (error: NaruError) => void
  readonly timer: Timer
}

export interface ConnectionOptions {
  readonly transport: ByteTransport
  readonly clock: Clock
  readonly clientId: string
  readonly requestTimeoutMs: number
}

export class Connection {
  readonly address: Address
  readonly #options: ConnectionOptions
  readonly #socket: ByteSocket
  readonly #splitter = new FrameSplitter(responseBytesMax)
  readonly #waiting = new Map<number, Waiting>()
  readonly #versions = new Map<number, { min: number; max: number }>()
  #nextCorrelationId = 1
  #ended: NaruError | undefined

  private constructor(address: Address, socket: ByteSocket, options: ConnectionOptions) {
    this.address = address
    this.#socket = socket
    this.#options = options
    socket.handle({
      data: (chunk) => this.#receive(chunk),
      drain() {},
      close: (error) => this.#end(this.#lost(error)),
    })
  }

  /** Connects and agrees on versions. */
  static async open(address: Address, options: ConnectionOptions): Promise<Connection> {
    let socket: ByteSocket
    try {
      socket = await options.transport.connect(address, options.requestTimeoutMs)
    } catch (error) {
      throw unreachable(address, error)
    }
    const connection = new Connection(address, socket, options)
    await connection.#agree()
    return connection
  }

  get isOpen(): boolean {
    return this.#ended === undefined
  }

  /** The version that both sides have, or an error that says which side lacks the API. */
  versionOf<Q, R>(api: Api<Q, R>): number {
    const offered = this.#versions.get(api.key)
    const version = Math.min(api.maxVersion, offered?.max ?? -1)
    if (offered !== undefined && version >= Math.max(api.minVersion, offered.min)) return version
    const { host, port } = this.address
    throw new NaruError('NARU_UNSUPPORTED', `${host}:${port} does not offer ${api.name}`)
  }

  /** Sends a request and resolves with the answer. `timeoutMs` is on top of what the broker may take to wait. */
  request<Q, R>(api: Api<Q, R>, request: Q, { waitMs = 0 } = {}): Promise<R> {
    const apiVersion = this.versionOf(api)
    return this.#send(api, apiVersion, request, waitMs)
  }

  close(): void {
    this.#end(new NaruError('NARU_CLOSED', 'The connection was closed'))
    this.#socket.end()
  }

  async #agree(): Promise<void> {
    const api = apis.apiVersions
    const request = { clientSoftwareName: 'naru', clientSoftwareVersion: '0.1.0' }
    let answer = await this.#send(api, 3, request, 0)
    // A broker that does not know the version answers in version 0 with the range that it has (KIP-511).
    if (answer.errorCode === 35) answer = await this.#send(api, 0, request, 0)
    for (const { apiKey, minVersion, maxVersion } of answer.apiKeys) {
      this.#versions.set(apiKey, { min: minVersion, max: maxVersion })
    }
  }

  #send<Q, R>(api: Api<Q, R>, apiVersion: number, request: Q, waitMs: number): Promise<R> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    const correlationId = this.#nextCorrelationId++ & 0x7fffffff
    const writer = new ByteWriter(256)
    writeRequestHeader(writer, api, {
      apiVersion,
      correlationId,
      clientId: this.#options.clientId,
    })
    api.encodeRequest(writer, apiVersion, request)
    const length = Buffer.alloc(4)
    length.writeInt32BE(writer.position)
    return new Promise((resolve, reject) => {
      const timeoutMs = this.#options.requestTimeoutMs + waitMs
      const timer = this.#options.clock.setTimer(timeoutMs, () => {
        this.#waiting.delete(correlationId)
        const what = `${api.name} was not answered in ${timeoutMs} ms`
        reject(new NaruError('NARU_TIMEOUT', what, { outcome: 'unknown' }))
      })
      const deliver = (frame: Buffer) => {
        try {
          resolve(decode(api, apiVersion, frame))
        } catch (error) {
          reject(this.#notKafka(error))
        }
      }
      this.#waiting.set(correlationId, { deliver, fail: reject, timer })
      this.#socket.write([length, ...writer.finishChunks()])
    })
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#splitter.push(chunk)) this.#deliver(frame)
    } catch (error) {
      this.#end(this.#notKafka(error))
      this.#socket.reset()
    }
  }

  #deliver(frame: Buffer): void {
    const correlationId = new ByteReader(frame).int32()
    const waiting = this.#waiting.get(correlationId)
    // An answer that came after its time-out.
    if (waiting === undefined) return
    this.#waiting.delete(correlationId)
    waiting.timer.cancel()
    waiting.deliver(frame)
  }

  #end(error: NaruError): void {
    if (this.#ended !== undefined) return
    this.#ended = error
    for (const { fail, timer } of this.#waiting.values()) {
      timer.cancel()
      fail(error)
    }
    this.#waiting.clear()
  }

  #lost(cause: TransportError | undefined): NaruError {
    const { host, port } = this.address
    const hint = 'Is this the plaintext port of a Kafka broker?'
    const options = {
      outcome: 'unknown',
      cause,
      ...(this.#versions.size === 0 ? { hint } : {}),
    } as const
    return new NaruError('NARU_UNREACHABLE', `${host}:${port} closed the connection`, options)
  }

  #notKafka(cause: unknown): NaruError {
    const { host, port } = this.address
    const reason = cause instanceof DecodeError ? cause.message : String(cause)
    return new NaruError('NARU_NOT_KAFKA', `${host}:${port} does not speak Kafka: ${reason}`, {
      hint: 'TLS and HTTP ports answer like this; use the plaintext listener',
      outcome: 'unknown',
      cause,
    })
  }
}

function decode<Q, R>(api: Api<Q, R>, version: number, frame: Buffer): R {
  const reader = new ByteReader(frame)
  reader.int32()
  if (hasResponseHeaderTags(api, version)) skipHeaderTags(reader)
  try {
    return api.decodeResponse(reader, version)
  } catch (error) {
    // The version 0 body of a refusal (KIP-511).
    if (api.key !== apis.apiVersions.key || !(error instanceof DecodeError)) throw error
    const again = new ByteReader(frame, 4)
    return api.decodeResponse(again, 0)
  }
}

function unreachable({ host, port }: Address, cause: unknown): NaruError {
  const reason = cause instanceof TransportError ? cause.code : String(cause)
  return new NaruError('NARU_UNREACHABLE', `Cannot connect to ${host}:${port}: ${reason}`, {
    hint: 'Is a broker running there? `npm start` runs one on localhost:9092',
    cause,
  })
}
