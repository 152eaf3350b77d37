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

/** The first port for `naru dev` with so many brokers: those of every kind are free at this moment. */
export async function freeDevPort(brokers: number): Promise<number> {
  for (;;) {
    const first = await freePort()
    const ports = Array.from({ length: brokers }, (_, index) => first + index)
    const all = ports.flatMap((port) => [port, port + 100, port + 200])
    if ((await Promise.all(all.map(isFree))).every(Boolean)) return first
  }
}

async function isFree(port: number): Promise<boolean> {
  if (port > 65_535) return false
  const server = net.createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
