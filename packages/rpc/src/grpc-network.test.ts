import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { fileURLToPath } from 'node:url'
import { Client, credentials, Metadata, type StatusObject, status } from '@grpc/grpc-js'
import type { Address, MessageStream, StreamClose, StreamService } from '@naru/base'
import { systemClock } from '@naru/platform'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { messageNetworkContract } from '../../base/src/message-network.contract.ts'
import { createGrpcNetwork } from './index.ts'
import type { Batches, LeaderFrame } from './replication/index.ts'

const network = createGrpcNetwork(systemClock)
const until = (condition: () => boolean) =>
  vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000, interval: 5 })
const localhost = { host: '127.0.0.1', port: 0 }

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const unused = await freePort()

describe('gRPC', () => {
  messageNetworkContract(() => ({
    network,
    address: () => localhost,
    nobody: () => ({ host: '127.0.0.1', port: unused }),
    until,
  }))
})

/** What became of a stream. */
function closeOf(stream: MessageStream, onMessage: () => void = () => {}): Promise<StreamClose> {
  return new Promise((resolve) => {
    stream.handle({ message: onMessage, drain() {}, close: resolve })
  })
}

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Runs the peer of these tests; it prints one line when it is ready. */
async function peer(...parameters: string[]): Promise<{ child: ChildProcess; line: string }> {
  const script = fileURLToPath(new URL('../../../test/support/stream-peer.ts', import.meta.url))
  const child = spawn(process.execPath, [script, ...parameters], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const [line] = await once(child.stdout!, 'data')
  return { child, line: String(line).trim() }
}

describe('another process', () => {
  it('that serves a stream and is killed has refused it', async () => {
    const { child, line } = await peer('serve')
    const stream = network.open({ host: '127.0.0.1', port: Number(line) }, 'peer')
    const answered = Promise.withResolvers<void>()
    const closed = closeOf(stream, answered.resolve)
    stream.send({ calls: [{ id: 1 }] })
    await answered.promise
    child.kill('SIGKILL')
    expect(await closed).toBe('refused')
  })

  it('that is killed with bytes underway has refused it', async () => {
    const { child, line } = await peer('serve')
    const stream = network.open({ host: '127.0.0.1', port: Number(line) }, 'peer')
    const answered = Promise.withResolvers<void>()
    const closed = closeOf(stream, answered.resolve)
    stream.send({ calls: [{ id: 1 }] })
    await answered.promise
    child.kill('SIGSTOP')
    for (let id = 0; id < 40; id++) {
      stream.send({ calls: [{ id, payload: Buffer.alloc(256 << 10) }] })
    }
    child.kill('SIGKILL')
    expect(await closed).toBe('refused')
  })

  it('that opened a stream and is killed has refused it', async () => {
    const accepted = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<StreamClose>()
    const server = await network.listen(localhost, (stream) => {
      void closeOf(stream, accepted.resolve).then(closed.resolve)
    })
    const { child } = await peer('open', String(server.address.port))
    await accepted.promise
    child.kill('SIGKILL')
    expect(await closed.promise).toBe('refused')
    await server.close()
  })

  it.each(['end', 'reset'])('exits by itself after %s and the close of its server', async (how) => {
    const { child } = await peer('leave', how)
    const [code, signal] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode]
    expect([code, signal ?? null]).toEqual([0, null])
  })
})

describe('an address', () => {
  it('that accepts and never answers loses the stream', async () => {
    const sockets: net.Socket[] = []
    const silent = net
      .createServer((socket) => sockets.push(socket.resume()))
      .listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as net.AddressInfo
    const stream = network.open({ host: '127.0.0.1', port }, 'peer')
    let drains = 0
    const closed = new Promise<StreamClose>((resolve) => {
      stream.handle({ message() {}, drain: () => drains++, close: resolve })
    })
    let id = 0
    while (stream.send({ calls: [{ id: id++ }] }));
    expect(await closed).toBe('lost')
    // Nothing was taken, so there was never room.
    expect(drains).toBe(0)
    await until(() => sockets.every((socket) => socket.destroyed || socket.readableEnded))
    for (const socket of sockets) socket.destroy()
    silent.close()
  })

  it('that drops every packet loses the stream, and leaves no socket', async () => {
    // A listener that accepts nobody: when its queue is full, the kernel answers no connect.
    const blocked = await peer('deaf')
    const port = Number(blocked.line)
    const fillers = Array.from({ length: 4 }, () => net.connect(port, '127.0.0.1'))
    for (const socket of fillers) socket.on('error', () => {})
    await once(fillers[0]!, 'connect')
    expect(await closeOf(network.open({ host: '127.0.0.1', port }, 'peer'))).toBe('lost')
    for (const socket of fillers) socket.destroy()
    await until(() => !process.getActiveResourcesInfo().includes('ConnectWrap'))
  })

  it('that refused has no part in what is connected next', async () => {
    const closed = Promise.withResolvers<number>()
    network.open({ host: '127.0.0.1', port: unused }, 'peer').handle({
      message() {},
      drain() {},
      close: () => {
        const unrelated = net.connect(unused, '127.0.0.1')
        closed.resolve(unrelated.listenerCount('error'))
        unrelated.on('error', () => {})
      },
    })
    expect(await closed.promise).toBe(0)
  })

  it('that cannot be resolved loses the stream', async () => {
    expect(await closeOf(network.open({ host: 'nowhere.invalid', port: 1 }, 'peer'))).toBe('lost')
  })

  it('that is taken is refused with its errno name', async () => {
    const server = await network.listen(localhost, () => {})
    await expect(network.listen(server.address, () => {})).rejects.toMatchObject({
      name: 'TransportError',
      code: 'EADDRINUSE',
    })
    await server.close()
  })
})

describe('a queue', () => {
  it('is longer where records go', async () => {
    const server = await network.listen(localhost, (stream) => void closeOf(stream))
    const payload = Buffer.alloc(256 << 10)
    const head = { id: 1, operation: '', logStartOffset: 0n, highWatermark: 0n }
    const countOf = async (service: StreamService, frame: object) => {
      const stream = network.open(server.address, service)
      const drained = Promise.withResolvers<void>()
      stream.handle({ message() {}, drain: drained.resolve, close() {} })
      // Nothing is taken before the turn ends.
      let count = 1
      while (stream.send(frame)) count++
      await drained.promise
      stream.reset()
      return count
    }
    expect(await countOf('peer', { calls: [{ ...head, payload }] })).toBe(4)
    const topicId = String(payload)
    expect(await countOf('replication', { subscriptions: [{ ...head, topicId }] })).toBe(16)
    await server.close()
  })
})

it('brings every frame as it was sent, though their memory is used again', async () => {
  const sizes = [100, 70_000, 100_000, 300_000]
  const sent = Array.from({ length: 120 }, (_, id) => ({
    id,
    logStartOffset: 0n,
    highWatermark: 0n,
    records: [Buffer.alloc(sizes[id % sizes.length] as number, `${id} `)],
  }))
  const server = await network.listen(localhost, (stream) => {
    const push = () => {
      for (let batches = rest.shift(); batches !== undefined; batches = rest.shift()) {
        if (!stream.send({ batches: [batches] })) return
      }
    }
    const rest = [...sent]
    stream.handle({ message: push, drain: push, close() {} })
  })
  const stream = network.open(server.address, 'replication')
  const received: Batches[] = []
  stream.handle({
    message: (message) => received.push(...(message as LeaderFrame).batches),
    drain() {},
    close() {},
  })
  stream.send({})
  await until(() => received.length === sent.length)
  for (const [at, { id, records }] of received.entries()) {
    expect([id, records.equals(sent[at]?.records[0] as Buffer)]).toEqual([at, true])
  }
  stream.reset()
  await server.close()
})

/** Sends bytes in the place of a frame; resolves with the status that the call ends with. */
async function sendRaw(address: Address, path: string, bytes: Buffer): Promise<number> {
  const { host, port } = address
  const client = new Client(`${host}:${port}`, credentials.createInsecure())
  const raw = (each: Buffer) => each
  const call = client.makeBidiStreamRequest(path, raw, raw, new Metadata(), {})
  call.on('data', () => {}).on('error', () => {})
  call.write(bytes)
  const code = await new Promise<number>((resolve) => {
    call.on('status', (each: StatusObject) => resolve(each.code))
  })
  client.close()
  return code
}

describe('bytes that are no frame', () => {
  it('cost one connection', async () => {
    const server = await network.listen(localhost, (stream) => void closeOf(stream))
    const socket = net.connect(server.address.port, '127.0.0.1')
    socket.on('error', () => {}).resume()
    socket.end('GET / HTTP/1.1\r\n\r\n')
    await once(socket, 'close')
    const stream = network.open(server.address, 'peer')
    const closed = closeOf(stream)
    stream.end()
    expect(await closed).toBe('lost')
    await server.close()
  })

  it.each(['PeerService/Connect', 'ReplicationService/Replicate'])(
    'reset the stream of %s',
    async (method) => {
      const closed = Promise.withResolvers<StreamClose>()
      const server = await network.listen(localhost, (stream) => {
        void closeOf(stream).then(closed.resolve)
      })
      const path = `/naru.internal.v1.${method}`
      const code = await sendRaw(server.address, path, Buffer.from([0x0a, 9, 1]))
      expect(code).toBe(status.CANCELLED)
      expect(await closed.promise).toBe('lost')
      await server.close()
    },
  )
})
