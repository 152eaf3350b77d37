import net from 'node:net'
import { type Address, TransportError } from '@naru/base'
import type { ApiPorts, ApiServer } from './api-server.ts'
import { elapsed } from './elapsed.ts'

export interface GrpcApiOptions extends ApiPorts {
  /** Port 0 picks a free one. */
  readonly address: Address
  /** Connections at a time; those above are closed at once. */
  readonly connectionsMax: number
}

export interface GrpcApi extends AsyncDisposable {
  /** Where it listens. */
  readonly address: Address
}

/** How long connections may take to close once their calls are over. */
const lingerMsMax = 200

/** Listens for clients of the public gRPC API. gRPC itself is loaded when the first one comes: it costs more than the rest. */
export async function createGrpcApi(options: GrpcApiOptions): Promise<GrpcApi> {
  const sockets = new Set<net.Socket>()
  let server: Promise<ApiServer> | undefined
  const listener = net.createServer({ noDelay: true, keepAlive: true }, (socket) => {
    socket.on('error', () => {})
    if (sockets.size >= options.connectionsMax) {
      options.logger.warn('connection-refused', {
        client: socket.remoteAddress,
        reason: 'too many',
      })
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    server ??= import('./api-server.ts').then(({ createApiServer }) => createApiServer(options))
    server.then(
      ({ inject }) => inject(socket),
      (error: unknown) => {
        options.logger.error('grpc-failed', { error })
        socket.destroy()
      },
    )
  })
  const address = await listen(listener, options.address)
  return {
    address,
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
      const started = await server?.catch(() => undefined)
      await started?.drain()
      await Promise.race([closed, elapsed(options.clock, lingerMsMax)])
      started?.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function listen(listener: net.Server, { host, port }: Address): Promise<Address> {
  return new Promise((resolve, reject) => {
    listener.once('error', (error: NodeJS.ErrnoException) => {
      const code = error.code ?? 'EIO'
      reject(new TransportError(code, `Cannot use ${host}:${port}: ${code}`, error))
    })
    listener.listen(port, host, () => {
      listener.removeAllListeners('error')
      listener.on('error', () => {})
      const bound = listener.address() as net.AddressInfo
      resolve({ host: bound.address, port: bound.port })
    })
  })
}
