import type {
  Address,
  ByteServer,
  ByteSocket,
  ByteTransport,
  Clock,
  Logger,
  Timer,
} from '@naru/base'
import { Connection } from './connection.ts'
import type { Dispatcher } from './dispatcher.ts'

export interface ListenerLimits {
  /** `max.connections` */
  readonly connectionsMax: number
  /** `max.connections.per.ip` */
  readonly connectionsPerIpMax: number
  /** `connections.max.idle.ms` */
  readonly idleMs: number
  /** `socket.request.max.bytes` */
  readonly requestBytesMax: number
  /** Bytes of requests in work for each connection. */
  readonly inWorkBytesMax: number
}

export interface ListenerOptions {
  readonly name: string
  readonly address: Address
  readonly transport: ByteTransport
  readonly clock: Clock
  readonly logger: Logger
  readonly dispatcher: Dispatcher
  readonly limits: ListenerLimits
}

/** How long a client may leave its answers unread before its connection is closed. */
const stalledMs = 60_000
const drainMs = 5_000

/** One listener of the Kafka protocol: accepts connections within limits, and closes those that do nothing. */
export class Listener {
  readonly #options: ListenerOptions
  readonly #connections = new Map<Connection, { activity: number; sinceMs: number }>()
  #server: ByteServer | undefined
  #sweep: Timer | undefined
  #nextId = 1
  #onDrained: (() => void) | undefined

  constructor(options: ListenerOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.name
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  /** Starts to accept; resolves with the address, whose port is the real one when 0 was asked for. */
  async start(): Promise<Address> {
    const { transport, address } = this.#options
    this.#server = await transport.listen(address, (socket) => this.#accept(socket))
    this.#armSweep()
    return this.#server.address
  }

  /** Stops to accept, lets requests in work be answered for a few seconds, then closes. */
  async stop(): Promise<void> {
    this.#sweep?.cancel()
    const closing = this.#server?.close()
    for (const connection of this.#connections.keys()) connection.end()
    if (this.#connections.size > 0) await this.#drain()
    for (const connection of this.#connections.keys()) connection.reset()
    await closing
  }

  async #drain(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.setTimer(drainMs, resolve)
      this.#onDrained = () => {
        timer.cancel()
        resolve()
      }
    })
  }

  #accept(socket: ByteSocket): void {
    const { limits, logger, dispatcher, name, clock } = this.#options
    if (this.#isFull(socket.remote.host)) {
      logger.warn('connection-refused', { client: socket.remote.host, reason: 'too many' })
      socket.handle({ data() {}, drain() {}, close() {} })
      socket.reset()
      return
    }
    const connection = new Connection({
      socket,
      dispatcher,
      clock,
      logger,
      id: this.#nextId++,
      listener: name,
      requestBytesMax: limits.requestBytesMax,
      inWorkBytesMax: limits.inWorkBytesMax,
      onClose: () => {
        this.#connections.delete(connection)
        if (this.#connections.size === 0) this.#onDrained?.()
      },
    })
    this.#connections.set(connection, { activity: 0, sinceMs: clock.monotonic() })
  }

  #isFull(host: string): boolean {
    const { connectionsMax, connectionsPerIpMax } = this.#options.limits
    if (this.#connections.size >= connectionsMax) return true
    if (connectionsPerIpMax >= connectionsMax) return false
    let fromHost = 0
    for (const connection of this.#connections.keys()) {
      if (connection.remoteHost === host) fromHost++
    }
    return fromHost >= connectionsPerIpMax
  }

  /** One timer for all connections: closes those that were idle, or left answers unread, for too long. */
  #armSweep(): void {
    const { clock, limits } = this.#options
    const intervalMs = Math.max(100, Math.min(limits.idleMs, stalledMs) / 4)
    this.#sweep = clock.setTimer(intervalMs, () => {
      const now = clock.monotonic()
      for (const [connection, seen] of this.#connections) {
        if (connection.activity !== seen.activity || (connection.isBusy && !connection.isStalled)) {
          seen.activity = connection.activity
          seen.sinceMs = now
        }
        const limitMs = connection.isStalled ? stalledMs : limits.idleMs
        if (now - seen.sinceMs > limitMs) connection.reset()
      }
      this.#armSweep()
    })
  }
}
