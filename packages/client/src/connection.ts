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
  type TransportError,
} from '@naru/base'
import {
  type Api,
  apis,
  FrameSplitter,
  hasResponseHeaderTags,
  skipHeaderTags,
  writeRequestHeader,
} from '@naru/protocol'
import { addressText, notKafka, unreachable } from './diagnosis.ts'
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
  /** How the first answer begins: it tells a broker from another server. */
  #heard: Buffer | undefined
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

  /** Connects and agrees on versions, unless `signal` says before that nobody needs it any more. */
  static async open(
    address: Address,
    options: ConnectionOptions,
    signal: AbortSignal,
  ): Promise<Connection> {
    let socket: ByteSocket
    try {
      socket = await options.transport.connect(address, options.requestTimeoutMs)
    } catch (error) {
      throw unreachable(address, error)
    }
    const connection = new Connection(address, socket, options)
    const abort = () => connection.close()
    signal.addEventListener('abort', abort)
    try {
      if (signal.aborted) abort()
      await connection.#agree()
    } catch (error) {
      socket.reset()
      throw error
    } finally {
      signal.removeEventListener('abort', abort)
    }
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
    throw new NaruError('NARU_UNSUPPORTED', `${this.#name} does not offer ${api.name}`, {
      reason: 'UNSUPPORTED_API',
      at: this.address,
    })
  }

  /** Sends a request and resolves with the answer. `timeoutMs` is on top of what the broker may take to wait. */
  request<Q, R>(api: Api<Q, R>, request: Q, { waitMs = 0 } = {}): Promise<R> {
    const apiVersion = this.versionOf(api)
    return this.#send(api, apiVersion, request, waitMs)
  }

  close(): void {
    const closed = new NaruError('NARU_CLOSED', 'the connection was closed', { reason: 'CLOSED' })
    if (this.#waiting.size > 0) this.#breakOff(closed)
    this.#end(closed)
    this.#socket.end()
  }

  get #name(): string {
    return addressText(this.address)
  }

  get #isAgreed(): boolean {
    return this.#versions.size > 0
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
    this.#heard = undefined
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
        const what = `${this.#name} did not answer ${api.name} in ${timeoutMs} ms`
        const options = { at: this.address, reason: 'REQUEST_TIMEOUT', outcome: 'unknown' } as const
        this.#breakOff(new NaruError('NARU_TIMEOUT', what, options))
      })
      const deliver = (frame: Buffer) => {
        try {
          resolve(decode(api, apiVersion, frame))
        } catch (error) {
          reject(this.#unreadable(error))
        }
      }
      this.#waiting.set(correlationId, { deliver, fail: reject, timer })
      this.#socket.write([length, ...writer.finishChunks()])
    })
  }

  #receive(chunk: Buffer): void {
    if (!this.#isAgreed) this.#heard ??= chunk
    try {
      for (const frame of this.#splitter.push(chunk)) this.#deliver(frame)
    } catch (error) {
      this.#breakOff(this.#unreadable(error))
    }
  }

  #deliver(frame: Buffer): void {
    const correlationId = new ByteReader(frame).int32()
    const waiting = this.#waiting.get(correlationId)
    // An answer that nobody has asked for.
    if (waiting === undefined) return
    this.#waiting.delete(correlationId)
    waiting.timer.cancel()
    waiting.deliver(frame)
  }

  /** Answers come in order: behind one that does not come, none does, and a silent broker would never close its side. */
  #breakOff(error: NaruError): void {
    this.#end(error)
    this.#socket.reset()
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
    const at = this.address
    if (!this.#isAgreed && this.#heard !== undefined) return notKafka(at, this.#heard, cause)
    const [reason, how] = this.#isAgreed
      ? (['CONNECTION_LOST', ''] as const)
      : (['CLOSED_WITHOUT_ANSWER', ' without an answer'] as const)
    const text = `${this.#name} closed the connection${how}`
    return new NaruError('NARU_UNREACHABLE', text, { reason, at, outcome: 'unknown', cause })
  }

  #unreadable(cause: unknown): NaruError {
    const at = this.address
    if (!this.#isAgreed) return notKafka(at, this.#heard ?? Buffer.alloc(0), cause)
    const why = cause instanceof DecodeError ? cause.message : String(cause)
    const text = `${this.#name} sent an answer that cannot be read: ${why}`
    const reason = 'UNREADABLE_ANSWER'
    return new NaruError('NARU_NOT_KAFKA', text, { reason, at, outcome: 'unknown', cause })
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
