/** Requests over a raw socket, at any version that has a codec: what a client library would never send can be asked too. */
import { once } from 'node:events'
import net from 'node:net'
import { ByteReader, ByteWriter } from '@naru/base'
import {
  type Api,
  FrameSplitter,
  hasResponseHeaderTags,
  skipHeaderTags,
  writeRequestHeader,
} from '@naru/protocol'

/** What a question comes to where there is no answer. */
export type Silence = 'closed' | 'silent'

const answerBytesMax = 256 << 20
/** Far beyond what any answer takes: a broker that is silent for so long will stay so. */
const silenceMsMax = 20_000

export class WireClient implements AsyncDisposable {
  readonly #address: { host: string; port: number }
  #socket: net.Socket | undefined
  #splitter = new FrameSplitter(answerBytesMax)
  #frames: Buffer[] = []
  #wake: (() => void) | undefined
  #isClosed = false
  #correlationId = 0
  readonly #silenceMs: number

  constructor(bootstrap: string, { silenceMs = silenceMsMax } = {}) {
    const [host, port] = bootstrap.split(':')
    this.#address = { host: host ?? '', port: Number(port) }
    this.#silenceMs = silenceMs
  }

  /** Sends a request and decodes its answer. A connection that was closed is opened again. */
  async ask<Q, R>(api: Api<Q, R>, apiVersion: number, request: Q): Promise<R | Silence> {
    await this.send(api, apiVersion, request)
    return this.answer(api, apiVersion)
  }

  async send<Q, R>(api: Api<Q, R>, apiVersion: number, request: Q): Promise<void> {
    const writer = new ByteWriter(256)
    const correlationId = ++this.#correlationId
    writeRequestHeader(writer, api, { apiVersion, correlationId, clientId: 'wire' })
    api.encodeRequest(writer, apiVersion, request)
    await this.sendFrame(Buffer.concat(writer.finishChunks()))
  }

  async answer<Q, R>(api: Api<Q, R>, apiVersion: number): Promise<R | Silence> {
    const frame = await this.nextFrame()
    if (typeof frame === 'string') return frame
    const reader = new ByteReader(frame, 4)
    if (hasResponseHeaderTags(api, apiVersion)) skipHeaderTags(reader)
    return api.decodeResponse(reader, apiVersion)
  }

  /** Sends a frame of any content. */
  async sendFrame(content: Buffer): Promise<void> {
    const length = Buffer.alloc(4)
    length.writeInt32BE(content.length)
    await this.sendBytes(Buffer.concat([length, content]))
  }

  async sendBytes(bytes: Buffer): Promise<void> {
    const socket = await this.#connected()
    socket.write(bytes)
  }

  /** The next answer with its header. */
  async nextFrame(): Promise<Buffer | Silence> {
    const deadline = performance.now() + this.#silenceMs
    for (;;) {
      const frame = this.#frames.shift()
      if (frame !== undefined) return frame
      if (this.#isClosed) return 'closed'
      if (!(await this.#change(deadline - performance.now()))) return 'silent'
    }
  }

  #change(withinMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), Math.max(0, withinMs))
      this.#wake = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  }

  async #connected(): Promise<net.Socket> {
    if (this.#socket !== undefined && !this.#isClosed) return this.#socket
    const socket = net.connect({ ...this.#address, noDelay: true })
    await once(socket, 'connect')
    this.#socket = socket
    this.#splitter = new FrameSplitter(answerBytesMax)
    this.#frames = []
    this.#isClosed = false
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      this.#frames.push(...this.#splitter.push(chunk))
      this.#wake?.()
    })
    socket.on('close', () => {
      this.#isClosed = true
      this.#wake?.()
    })
    return socket
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const socket = this.#socket
    if (socket === undefined || this.#isClosed) return
    const closed = once(socket, 'close')
    socket.destroy()
    await closed
  }
}
