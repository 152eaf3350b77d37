// Connections over a byte stream in memory: order, bounds, and bytes that no client would send.
import { type ByteSocket, ByteWriter, silentLogger } from '@naru/base'
import { apis, writeRequestHeader } from '@naru/protocol'
import { describe, expect, it } from 'vitest'
import { Connection } from './connection.ts'
import { Dispatcher } from './dispatcher.ts'
import { defineHandler, type Handler } from './handler.ts'

type Events = Parameters<ByteSocket['handle']>[0]

class FakeSocket implements ByteSocket {
  readonly remote = { host: 'client', port: 1 }
  readonly local = { host: 'broker', port: 2 }
  events: Events | undefined
  readonly sent: Buffer[] = []
  queuedBytes = 0
  isPaused = false
  state: 'open' | 'ended' | 'reset' = 'open'
  /** The client reads nothing. */
  isStuck = false

  handle(events: Events): void {
    this.events = events
  }

  write(buffers: readonly Uint8Array[]): boolean {
    for (const buffer of buffers) {
      this.sent.push(Buffer.from(buffer))
      if (this.isStuck) this.queuedBytes += buffer.length
    }
    return !this.isStuck
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  end(): void {
    this.state = 'ended'
  }

  reset(): void {
    this.state = 'reset'
    this.events?.close(undefined)
  }

  /** Correlation ids of the answers, in the order in which they were sent. */
  get answered(): number[] {
    const bytes = Buffer.concat(this.sent)
    const ids: number[] = []
    for (let at = 0; at < bytes.length; at += 4 + bytes.readInt32BE(at)) {
      ids.push(bytes.readInt32BE(at + 4))
    }
    return ids
  }
}

function request(correlationId: number, { pipelined = false, bytes = 10 } = {}): Buffer {
  const writer = new ByteWriter()
  const api = pipelined ? apis.produce : apis.deleteRecords
  const apiVersion = pipelined ? 3 : 0
  writeRequestHeader<never, never>(writer, api as never, {
    apiVersion,
    correlationId,
    clientId: 'x'.repeat(bytes),
  })
  if (pipelined) {
    const empty = { transactionalId: null, acks: 1, timeoutMs: 0, topicData: [] }
    apis.produce.encodeRequest(writer, 3, empty)
  } else apis.deleteRecords.encodeRequest(writer, 0, { topics: [], timeoutMs: correlationId })
  const length = Buffer.alloc(4)
  length.writeInt32BE(writer.position)
  return Buffer.concat([length, ...writer.finishChunks()])
}

function connect() {
  const pending = new Map<number, () => void>()
  const started: number[] = []
  let serial = 0
  const later = <R>(answer: R) =>
    new Promise<R>((resolve) => {
      const id = serial++
      started.push(id)
      pending.set(id, () => resolve(answer))
    })
  const handlers: Handler[] = [
    defineHandler(
      apis.produce,
      () => later({ responses: [], throttleTimeMs: 0, nodeEndpoints: [] }),
      {
        isPipelined: true,
      },
    ) as Handler,
    defineHandler(apis.deleteRecords, () => later({ throttleTimeMs: 0, topics: [] })) as Handler,
  ]
  const dispatcher = new Dispatcher({ handlers, logger: silentLogger, onBug: () => {} })
  const socket = new FakeSocket()
  /** Whether the socket is read, each time that something is left for the next turn. */
  const pausedBetweenTurns: boolean[] = []
  let closed = 0
  new Connection({
    socket,
    dispatcher,
    clock: {
      afterTurn(callback) {
        pausedBetweenTurns.push(socket.isPaused)
        queueMicrotask(callback)
      },
    },
    logger: silentLogger,
    id: 1,
    listener: 'PLAINTEXT',
    requestBytesMax: 10_000,
    inWorkBytesMax: 50_000,
    onClose: () => closed++,
  })
  const settle = async (id: number) => {
    pending.get(id)?.()
    for (let i = 0; i < 10; i++) await Promise.resolve()
  }
  return {
    socket,
    started,
    pausedBetweenTurns,
    settle,
    send: (bytes: Buffer) => socket.events?.data(bytes),
    closed: () => closed,
  }
}

describe('Connection', () => {
  it('answers in the order of the requests, whichever is done first', async () => {
    const { socket, started, settle, send } = connect()
    send(Buffer.concat([1, 2, 3].map((id) => request(id, { pipelined: true }))))
    expect(started).toEqual([0, 1, 2])
    await settle(2)
    await settle(1)
    expect(socket.answered).toEqual([])
    await settle(0)
    expect(socket.answered).toEqual([1, 2, 3])
  })

  it('starts a request that is not pipelined only when all before it are answered', async () => {
    const { started, settle, send } = connect()
    send(
      Buffer.concat([request(1, { pipelined: true }), request(2), request(3, { pipelined: true })]),
    )
    expect(started).toEqual([0])
    await settle(0)
    expect(started).toEqual([0, 1])
    await settle(1)
    expect(started).toEqual([0, 1, 2])
  })

  it('takes a request that arrives byte by byte', async () => {
    const { socket, settle, send } = connect()
    for (const byte of request(7)) send(Buffer.from([byte]))
    await settle(0)
    expect(socket.answered).toEqual([7])
  })

  it('stops reading when too many requests or bytes are in work, and reads on later', async () => {
    const { socket, settle, send } = connect()
    for (let id = 0; id < 8; id++) send(request(id, { pipelined: true, bytes: 9_000 }))
    expect(socket.isPaused).toBe(true)
    for (let id = 0; id < 8; id++) await settle(id)
    expect(socket.isPaused).toBe(false)
  })

  it('takes no more requests of one chunk than may be in work', async () => {
    const { socket, started, pausedBetweenTurns, settle, send } = connect()
    send(Buffer.concat(Array.from({ length: 300 }, (_, id) => request(id, { pipelined: true }))))
    expect(started).toHaveLength(128)
    for (let id = 0; id < 300; id++) await settle(id)
    // Nothing more is read while there is something left of what was.
    expect(pausedBetweenTurns.length).toBeGreaterThan(0)
    expect(pausedBetweenTurns).not.toContain(false)
    expect(started).toHaveLength(300)
    expect(socket.answered).toEqual(Array.from({ length: 300 }, (_, id) => id))
    expect(socket.isPaused).toBe(false)
  })

  it('starts nothing more for a client that does not read its answers', async () => {
    const { socket, started, settle, send } = connect()
    socket.isStuck = true
    send(request(1, { pipelined: true }))
    socket.queuedBytes = 5 << 20
    await settle(0)
    send(request(2, { pipelined: true }))
    expect(started).toEqual([0])
    expect(socket.isPaused).toBe(true)
    socket.queuedBytes = 0
    socket.isStuck = false
    socket.events?.drain()
    expect(started).toEqual([0, 1])
  })

  it('answers what came before bytes that make no sense, then closes', async () => {
    const { socket, started, settle, send } = connect()
    const unknownApi = Buffer.from([0, 0, 0, 10, 0x03, 0xe7, 0, 0, 0, 0, 0, 2, 0xff, 0xff])
    send(Buffer.concat([request(1, { pipelined: true }), unknownApi]))
    send(request(3, { pipelined: true }))
    expect(started).toEqual([0])
    expect(socket.state).toBe('open')
    await settle(0)
    expect(socket.answered).toEqual([1])
    expect(socket.state).toBe('ended')
  })

  it.each([
    ['a negative length', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['a huge length', Buffer.from([0x7f, 0xff, 0xff, 0xff])],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['TLS', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03])],
    ['an unknown API', Buffer.from([0, 0, 0, 10, 0x03, 0xe7, 0, 0, 0, 0, 0, 1, 0xff, 0xff])],
    [
      'a version that is not offered',
      Buffer.from([0, 0, 0, 10, 0, 21, 0, 99, 0, 0, 0, 1, 0xff, 0xff]),
    ],
    [
      'a header with garbage behind it',
      Buffer.from([0, 0, 0, 14, 0, 21, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]),
    ],
    ['an empty frame', Buffer.from([0, 0, 0, 0])],
  ])('closes the connection on %s', (_, bytes) => {
    const { socket, send, closed } = connect()
    send(bytes)
    expect(socket.state).toBe('reset')
    expect(closed()).toBe(1)
  })
})

it('an unknown version of ApiVersions is answered in version 0 with the range (KIP-511)', () => {
  const handlers = [
    defineHandler(apis.apiVersions, () => {
      throw new Error('must not be asked')
    }) as Handler,
  ]
  const dispatcher = new Dispatcher({ handlers, logger: silentLogger, onBug: () => {} })
  const frame = Buffer.from([0, 18, 0, 99, 0, 0, 0, 5, 0xff, 0xff])
  const context = { connectionId: 1, listener: 'L', clientHost: 'h', onClose() {} }
  const answer = Buffer.concat(dispatcher.prepare(frame).start(context) as Buffer[])
  expect(answer.readInt32BE(4)).toBe(5)
  expect(answer.readInt16BE(8)).toBe(35)
  expect([...answer.subarray(10)]).toEqual([0, 0, 0, 1, 0, 18, 0, 0, 0, 4])
})
