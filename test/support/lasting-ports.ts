import { once } from 'node:events'
import net from 'node:net'

/** Below the range from which the system takes ports for connections: nobody gets such a port while its process is away. */
const range = { first: 15_000, last: 32_000 } as const
const given = new Set<number>()

/** Ports that are free, and stay so as long as nobody asks for them by number. */
export async function lastingPorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = range.first + Math.floor(Math.random() * (range.last - range.first))
    if (given.has(port) || !(await isFree(port))) continue
    given.add(port)
    ports.push(port)
  }
  return ports
}

async function isFree(port: number): Promise<boolean> {
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
