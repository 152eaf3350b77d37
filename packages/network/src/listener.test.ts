// Listeners over sockets in memory and virtual time: who is let in, who is shown out, and how it ends.
import type { ByteServer, ByteSocket, ByteTransport } from '@naru/base'
import { silentLogger } from '@naru/base'
import { SimulatedClock } from '@naru/simulator'
import { expect, it } from 'vitest'
import { Dispatcher } from './dispatcher.ts'
import { Listener, type ListenerLimits } from './listener.ts'

class QuietSocket implements ByteSocket {
  readonly remote: { host: string; port: number }
  readonly local = { host: 'broker', port: 9092 }
  readonly queuedBytes = 0
  state: 'open' | 'ended' | 'reset' = 'open'
  #events: Parameters<ByteSocket['handle']>[0] | undefined

  constructor(host: string) {
    this.remote = { host, port: 1 }
  }

  handle(events: Parameters<ByteSocket['handle']>[0]): void {
    this.#events = events
  }

  /** A part of a frame: the client is there, and slow. */
  sendByte(): void {
    this.#events?.data(Buffer.of(0))
  }

  write(): boolean {
    return true
  }

  pause(): void {}

  resume(): void {}

  end(): void {
    this.#close('ended')
  }

  reset(): void {
    this.#close('reset')
  }

  #close(state: 'ended' | 'reset'): void {
    if (this.state !== 'open') return
    this.state = state
    this.#events?.close(undefined)
  }
}

async function listening(limits: Partial<ListenerLimits> = {}) {
  const clock = new SimulatedClock()
  let accept: ((socket: ByteSocket) => void) | undefined
  let isListening = true
  const server: ByteServer = {
    address: { host: 'broker', port: 9092 },
    async close() {
      isListening = false
    },
  }
  const transport: ByteTransport = {
    async listen(_, onSocket) {
      accept = onSocket
      return server
    },
    connect: () => Promise.reject(new Error('nobody connects')),
  }
  const listener = new Listener({
    name: 'PLAINTEXT',
    address: server.address,
    transport,
    clock,
    logger: silentLogger,
    dispatcher: new Dispatcher({ handlers: [], logger: silentLogger, onBug: () => {} }),
    limits: {
      connectionsMax: 10,
      connectionsPerIpMax: 10,
      idleMs: 10_000,
      requestBytesMax: 1_000,
      inWorkBytesMax: 1_000,
      ...limits,
    },
  })
  await listener.start()
  const join = (host = 'client') => {
    const socket = new QuietSocket(host)
    accept?.(socket)
    return socket
  }
  return { listener, clock, join, isListening: () => isListening }
}

it('closes a connection on which nothing comes, and no other', async () => {
  const { listener, clock, join } = await listening()
  const idle = join()
  const slow = join()
  for (let second = 0; second < 15; second++) {
    await clock.drive(clock.pause(1_000))
    if (second % 5 === 0 && second < 4) slow.sendByte()
    if (second === 8) slow.sendByte()
  }
  expect(idle.state).toBe('reset')
  expect(slow.state).toBe('open')
  expect(listener.connectionCount).toBe(1)
})

it('lets in as many connections as may be, in all and from one address', async () => {
  const { join } = await listening({ connectionsMax: 3, connectionsPerIpMax: 2 })
  const states = ['a', 'a', 'a', 'b', 'c'].map((host) => join(host)).map(({ state }) => state)
  expect(states).toEqual(['open', 'open', 'reset', 'open', 'reset'])
})

it('takes the place of a connection that was closed', async () => {
  const { join } = await listening({ connectionsMax: 1 })
  const first = join()
  first.reset()
  expect(join().state).toBe('open')
})

it('stops without waiting for clients that want nothing', async () => {
  const { listener, join, isListening } = await listening()
  const socket = join()
  await listener.stop()
  expect(isListening()).toBe(false)
  expect(socket.state).toBe('ended')
})
