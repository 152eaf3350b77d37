// Whatever arrives on the port: memory stays bounded and other clients do not notice (replication.md F25).
import { readFileSync } from 'node:fs'
import net from 'node:net'
import { type Client, connect } from '@naru/client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BrokerProcess } from '../support/broker-process.ts'

/** What a broker of this size may grow by while it is attacked. */
const growthMegabytesMax = 200

let broker: BrokerProcess
let client: Client

beforeAll(async () => {
  broker = await BrokerProcess.start()
  client = await connect(broker.bootstrap)
})

afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await broker[Symbol.asyncDispose]()
})

function residentMegabytes(): number {
  const status = readFileSync(`/proc/${broker.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

/** Sends bytes and waits until the broker has closed the connection or all is sent. */
function attack(chunks: readonly Buffer[]): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect({ host: '127.0.0.1', port: broker.port })
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.on('connect', () => {
      for (const chunk of chunks) socket.write(chunk)
      socket.end()
    })
    socket.resume()
  })
}

async function othersAreWell(): Promise<void> {
  await using producer = client.producer()
  const sent = await producer.send({ topic: 'others', value: 'fine' })
  expect(sent.offset).toBeGreaterThanOrEqual(0n)
}

const metadataRequest = Buffer.from([
  0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
])

it.each<[string, () => Buffer[]]>([
  [
    'random bytes',
    () => [Buffer.from(Array.from({ length: 5_000 }, (_, i) => (i * 7919 + 13) % 251))],
  ],
  ['a huge length', () => [Buffer.from([0x06, 0x3f, 0xff, 0xff]), Buffer.alloc(1 << 20)]],
  [
    'a huge array count',
    () => [Buffer.from([0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff])],
  ],
  ['a frame that never ends', () => [Buffer.from([0, 0x10, 0, 0]), Buffer.alloc(500_000)]],
  [
    'a million tiny requests',
    () => [Buffer.concat(Array.from({ length: 200_000 }, () => metadataRequest))],
  ],
])('%s', { timeout: 60_000 }, async (_, chunks) => {
  await othersAreWell()
  const before = residentMegabytes()
  const attacks = Array.from({ length: 5 }, () => attack(chunks()))
  await othersAreWell()
  await Promise.all(attacks)
  await othersAreWell()
  expect(residentMegabytes() - before).toBeLessThan(growthMegabytesMax)
})

it('a client that asks and never reads costs a bounded buffer', async () => {
  await using producer = client.producer()
  await Promise.all(
    Array.from({ length: 300 }, () => producer.send({ topic: 'big', value: Buffer.alloc(50_000) })),
  )
  const before = residentMegabytes()
  const socket = net.connect({ host: '127.0.0.1', port: broker.port })
  socket.on('error', () => {})
  socket.pause()
  await new Promise((resolve) => socket.once('connect', resolve))
  for (let i = 0; i < 2_000; i++) socket.write(fetchBig(i))
  for (let i = 0; i < 20; i++) await othersAreWell()
  expect(residentMegabytes() - before).toBeLessThan(growthMegabytesMax)
  socket.destroy()
})

/** Fetch version 4 of everything in topic `big`. */
function fetchBig(correlationId: number): Buffer {
  const body = Buffer.alloc(8 + 2 + 4 + 4 + 4 + 4 + 1 + 4 + 2 + 3 + 4 + 4 + 8 + 4)
  let at = body.writeInt16BE(1, 0)
  at = body.writeInt16BE(4, at)
  at = body.writeInt32BE(correlationId, at)
  at = body.writeInt16BE(-1, at)
  at = body.writeInt32BE(-1, at)
  at = body.writeInt32BE(100, at)
  at = body.writeInt32BE(1, at)
  at = body.writeInt32BE(50_000_000, at)
  at = body.writeInt8(0, at)
  at = body.writeInt32BE(1, at)
  at = body.writeInt16BE(3, at)
  at += body.write('big', at)
  at = body.writeInt32BE(1, at)
  at = body.writeInt32BE(0, at)
  at = body.writeBigInt64BE(0n, at)
  body.writeInt32BE(50_000_000, at)
  const length = Buffer.alloc(4)
  length.writeInt32BE(body.length)
  return Buffer.concat([length, body])
}
