import { once } from 'node:events'
import net from 'node:net'

/** Somebody who listens, on a port that was free. */
export async function occupied(): Promise<net.Server & { readonly port: number }> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return Object.assign(server, { port: (server.address() as net.AddressInfo).port })
}

/** Free at this moment. */
export async function freePort(): Promise<number> {
  const server = await occupied()
  server.close()
  await once(server, 'close')
  return server.port
}
