/** A network between two sockets that can be cut in one direction or both, slowed down, and reset. What is cut waits, as in a real one. */
import { once } from 'node:events'
import net from 'node:net'

/** Waiting bytes of one connection in one direction above which no more are taken from the sender. */
const queuedBytesMax = 1 << 20

type Parcel = { readonly dueMs: number; readonly what: Buffer | 'end' | 'reset' }

/** One direction, of all connections. */
class Way {
  readonly flows = new Set<Flow>()
  #isCut = false
  delayMs = 0
  /** That have arrived. */
  bytes = 0

  get isCut(): boolean {
    return this.#isCut
  }

  /** Nothing arrives any more; what was sent meanwhile arrives after `heal`. */
  cut(): void {
    this.#isCut = true
  }

  heal(): void {
    this.#isCut = false
    for (const flow of this.flows) flow.pump()
  }
}

/** One direction of one connection. */
class Flow {
  readonly #way: Way
  readonly #from: net.Socket
  readonly #to: net.Socket
  readonly #queue: Parcel[] = []
  #queuedBytes = 0
  #timer: NodeJS.Timeout | undefined

  constructor(way: Way, from: net.Socket, to: net.Socket) {
    this.#way = way
    this.#from = from
    this.#to = to
    way.flows.add(this)
    from.on('data', (chunk: Buffer) => this.#add(chunk))
    from.on('end', () => this.#add('end'))
    from.on('error', () => this.#add('reset'))
    to.on('drain', () => this.pump())
    to.on('close', () => {
      clearTimeout(this.#timer)
      way.flows.delete(this)
    })
  }

  #add(what: Parcel['what']): void {
    const earliestMs = this.#queue.at(-1)?.dueMs ?? 0
    const dueMs = Math.max(earliestMs, performance.now() + this.#way.delayMs)
    this.#queue.push({ dueMs, what })
    if (typeof what === 'object') this.#queuedBytes += what.length
    this.pump()
  }

  pump(): void {
    clearTimeout(this.#timer)
    while (!this.#way.isCut && !this.#to.writableNeedDrain) {
      const next = this.#queue[0]
      if (next === undefined) break
      const leftMs = next.dueMs - performance.now()
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.pump(), leftMs)
        break
      }
      this.#queue.shift()
      this.#deliver(next.what)
    }
    if (this.#queuedBytes < queuedBytesMax) this.#from.resume()
    else this.#from.pause()
  }

  #deliver(what: Parcel['what']): void {
    if (what === 'end') this.#to.end()
    else if (what === 'reset') this.#to.resetAndDestroy()
    else {
      this.#queuedBytes -= what.length
      this.#way.bytes += what.length
      this.#to.write(what)
    }
  }
}

export class TcpProxy implements AsyncDisposable {
  readonly #server: net.Server
  readonly #target: { readonly host: string; readonly port: number }
  readonly #sockets = new Set<net.Socket>()
  /** From who connects to the target, and back. */
  readonly there = new Way()
  readonly back = new Way()

  private constructor(target: { host: string; port: number }) {
    this.#target = target
    this.#server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#connected(socket),
    )
  }

  static async start(target: { host: string; port: number }): Promise<TcpProxy> {
    const proxy = new TcpProxy(target)
    proxy.#server.listen(0, '127.0.0.1')
    await once(proxy.#server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as net.AddressInfo).port
  }

  /** Breaks all connections. */
  reset(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #connected(client: net.Socket): void {
    const target = net.connect({ ...this.#target, allowHalfOpen: true, noDelay: true })
    for (const socket of [client, target]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => this.#sockets.delete(socket))
    }
    new Flow(this.there, client, target)
    new Flow(this.back, target, client)
  }
}
