import net from 'node:net'
import {
  type Address,
  type ByteServer,
  type ByteSocket,
  type ByteTransport,
  TransportError,
} from '@naru/base'

type Events = Parameters<ByteSocket['handle']>[0]

/** Fewer, larger reads: a chunk is what one system call brings. */
const readBytes = 1 << 20

/** TCP on Node's sockets. */
export const tcpTransport: ByteTransport = {
  listen: (address, accept) =>
    new Promise((resolve, reject) => {
      const options = { noDelay: true, keepAlive: true, highWaterMark: readBytes }
      const server = net.createServer(options, (socket) => accept(new TcpSocket(socket)))
      server.once('error', (error) => reject(mapped(error, address)))
      server.listen(address.port, address.host, () => {
        server.removeAllListeners('error')
        server.on('error', () => {})
        resolve(serverOf(server))
      })
    }),

  connect: (address, timeoutMs) =>
    new Promise((resolve, reject) => {
      const socket = net.connect({ ...address, noDelay: true })
      socket.setTimeout(timeoutMs, () => {
        socket.destroy()
        const { host, port } = address
        reject(
          new TransportError('ETIMEDOUT', `No connection to ${host}:${port} in ${timeoutMs} ms`),
        )
      })
      socket.once('error', (error) => reject(mapped(error, address)))
      socket.once('connect', () => {
        socket.setTimeout(0)
        socket.removeAllListeners('timeout')
        socket.removeAllListeners('error')
        resolve(new TcpSocket(socket))
      })
    }),
}

function serverOf(server: net.Server): ByteServer {
  const { address, port } = server.address() as net.AddressInfo
  return {
    address: { host: address, port },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function mapped(error: NodeJS.ErrnoException, { host, port }: Address): TransportError {
  const code = error.code ?? 'EIO'
  return new TransportError(code, `Cannot use ${host}:${port}: ${code}`, error)
}

class TcpSocket implements ByteSocket {
  readonly remote: Address
  readonly local: Address
  readonly #socket: net.Socket
  #error: TransportError | undefined

  constructor(socket: net.Socket) {
    this.#socket = socket
    this.remote = { host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    this.local = { host: socket.localAddress ?? '', port: socket.localPort ?? 0 }
    // An error before anybody listens must not end the process; `close` follows it.
    socket.on('error', (error) => {
      this.#error = mapped(error, this.remote)
    })
  }

  get queuedBytes(): number {
    return this.#socket.writableLength
  }

  handle(events: Events): void {
    this.#socket.on('data', (chunk: Buffer) => events.data(chunk))
    this.#socket.on('drain', () => events.drain())
    this.#socket.on('close', () => events.close(this.#error))
  }

  write(buffers: readonly Uint8Array[]): boolean {
    const socket = this.#socket
    if (socket.destroyed) return false
    socket.cork()
    let hasRoom = true
    for (const buffer of buffers) hasRoom = socket.write(buffer)
    socket.uncork()
    return hasRoom
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    // Not `end`: it would wait for the other side, who may never close.
    this.#socket.destroySoon()
  }

  reset(): void {
    this.#socket.resetAndDestroy()
  }
}
