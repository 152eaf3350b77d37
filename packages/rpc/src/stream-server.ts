import net from 'node:net'
import {
  type ConnectionInjector,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  status,
} from '@grpc/grpc-js'
import {
  type AcceptStream,
  type Address,
  type Clock,
  type MessageServer,
  type StreamService,
  TransportError,
} from '@naru/base'
import { GrpcStream } from './grpc-stream.ts'
import { lingerMsMax, receivedBytesMax, streamLimits } from './limits.ts'
import { SocketFate } from './socket-fate.ts'
import type { StreamCodecs } from './stream-codecs.ts'

type Call = ServerDuplexStream<Buffer, Buffer>

/** Serves streams. It owns the sockets, since gRPC does not tell why a connection ended. */
export class StreamServer implements MessageServer {
  readonly #codecs: StreamCodecs
  readonly #clock: Clock
  readonly #accept: AcceptStream
  readonly #listener = net.createServer({ noDelay: true }, (socket) => this.#connected(socket))
  readonly #grpc = new Server({
    'grpc.max_receive_message_length': receivedBytesMax,
    'grpc.enable_channelz': 0,
  })
  readonly #injector: ConnectionInjector
  /** By the other side's address and port. */
  readonly #fates = new Map<string, SocketFate>()
  readonly #streams = new Set<GrpcStream>()
  #address: Address = { host: '', port: 0 }
  #isClosing = false

  constructor(codecs: StreamCodecs, clock: Clock, accept: AcceptStream) {
    this.#codecs = codecs
    this.#clock = clock
    this.#accept = accept
    this.#injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure())
    const raw = (bytes: Buffer) => bytes
    for (const service of ['peer', 'replication'] as const) {
      const called = (call: Call) => this.#called(call, service)
      this.#grpc.register(codecs[service].path, called, raw, raw, 'bidi')
    }
  }

  listen({ host, port }: Address): Promise<this> {
    return new Promise((resolve, reject) => {
      this.#listener.once('error', (error: NodeJS.ErrnoException) => {
        const code = error.code ?? 'EIO'
        this.#grpc.forceShutdown()
        reject(new TransportError(code, `Cannot use ${host}:${port}: ${code}`, error))
      })
      this.#listener.listen(port, host, () => {
        this.#listener.removeAllListeners('error')
        this.#listener.on('error', () => {})
        const { address, port: bound } = this.#listener.address() as net.AddressInfo
        this.#address = { host: address, port: bound }
        resolve(this)
      })
    })
  }

  get address(): Address {
    return this.#address
  }

  #connected(socket: net.Socket): void {
    const peer = `${socket.remoteAddress}:${socket.remotePort}`
    const fate = new SocketFate()
    fate.watch(socket)
    this.#fates.set(peer, fate)
    fate.whenClosed(() => this.#fates.delete(peer))
    this.#injector.injectConnection(socket)
  }

  #called(call: Call, service: StreamService): void {
    const fate = this.#fates.get(call.getPeer())
    if (fate === undefined || this.#isClosing) {
      call.emit('error', { code: status.UNAVAILABLE, details: 'stopping' })
      return
    }
    call.sendMetadata(new Metadata())
    const stream = new GrpcStream({
      call,
      encoder: this.#codecs[service].response,
      decoder: this.#codecs[service].request,
      limits: streamLimits[service],
      clock: this.#clock,
      // The way of gRPC to end a call with a status. It follows what is being written.
      abort: () => call.emit('error', { code: status.CANCELLED, details: 'reset' }),
      // It is the opener who closes the connection.
      onClose: () => {
        this.#streams.delete(stream)
        const linger = this.#clock.setTimer(lingerMsMax, () => fate.destroy())
        fate.whenClosed(() => linger.cancel())
      },
    })
    this.#streams.add(stream)
    call.on('cancelled', () => stream.close(fate.isGone ? 'refused' : 'lost'))
    this.#accept(stream, service)
  }

  async close(): Promise<void> {
    if (this.#isClosing) return
    this.#isClosing = true
    const closed = new Promise<void>((resolve) => this.#listener.close(() => resolve()))
    const timer = this.#clock.setTimer(lingerMsMax, () => this.#destroyAll())
    if (this.#streams.size === 0) this.#destroyAll()
    for (const stream of this.#streams) stream.reset()
    await closed
    timer.cancel()
    this.#grpc.forceShutdown()
  }

  #destroyAll(): void {
    for (const fate of this.#fates.values()) fate.destroy()
  }
}
