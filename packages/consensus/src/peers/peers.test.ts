// Calls over links that come and go: an answer finds its way, and what nobody got is known to have had no effect.
import { type Address, type StreamClose, silentLogger } from '@naru/base'
import { SeededRandom, SimulatedClock, SimulatedNetwork } from '@naru/simulator'
import { beforeEach, expect, it } from 'vitest'
import { Calls } from './calls.ts'
import type { CallOutcome } from './frame.ts'
import { Peers } from './peers.ts'

const payload = Buffer.from('asked')
const timeoutMs = 30_000
const addresses = new Map<number, Address>([
  [1, { host: 'a', port: 9_291 }],
  [2, { host: 'b', port: 9_291 }],
])

let clock: SimulatedClock
let network: SimulatedNetwork

/** A node that answers calls when the test says so. */
async function node(nodeId: number) {
  const { host, port } = addresses.get(nodeId) as Address
  const asked: ((outcome: CallOutcome) => void)[] = []
  const peers = new Peers({
    network: network.start(host).network,
    clock,
    logger: silentLogger,
    self: () => ({
      clusterId: 'c',
      nodeId,
      directoryId: `d${nodeId}`,
      incarnationId: `i${nodeId}`,
      isEmpty: false,
      host,
      port,
    }),
    addressOf: (id) => addresses.get(id),
  })
  const calls = new Calls({
    clock,
    post: (id, frame) => peers.post(id, frame),
    reply: (link, frame) => peers.reply(link, frame),
    answer: () => new Promise((resolve) => asked.push(resolve)),
  })
  peers.handle({
    hello() {},
    frame: (peer, frame, link) => calls.frame(peer, frame, link),
    down: (peer) => calls.down(peer),
    undelivered: (frame) => calls.undelivered(frame),
  })
  await peers.listen({ host, port })
  const call = (to: number) => calls.call(to, { operation: 'ask', payload, timeoutMs })
  return { peers, call, asked }
}

const pass = (ms: number) => clock.drive(clock.pause(ms))

beforeEach(() => {
  clock = new SimulatedClock()
  network = new SimulatedNetwork(clock, new SeededRandom(5))
})

it('an answer comes over the link that has replaced the one of the call', async () => {
  const [caller, called] = [await node(1), await node(2)]
  const outcome = caller.call(2)
  await pass(100)
  void caller.peers.greet(addresses.get(2) as Address)
  await pass(10_000)
  called.asked[0]?.({ index: 7n, payload })
  expect(await clock.drive(outcome)).toMatchObject({ index: 7n })
  expect(clock.monotonic()).toBeLessThan(timeoutMs)
})

it('a call that could not be sent is answered as one that had no effect', async () => {
  const caller = await node(1)
  const first = await clock.drive(caller.call(2))
  expect(first).toMatchObject({ failure: 'BUSY' })
  // Now it waits before it dials again, and says so at once.
  expect(await clock.drive(caller.call(2))).toMatchObject({ failure: 'BUSY' })
  expect(clock.monotonic()).toBeLessThan(timeoutMs)
})

it('hands over streams of replication from when they are wanted, and resets those before', async () => {
  const { peers } = await node(1)
  const { network: other } = network.start('b')
  const openStream = () => {
    const closes: StreamClose[] = []
    const messages: object[] = []
    const stream = other.open(addresses.get(1) as Address, 'replication')
    stream.handle({
      message: (message) => messages.push(message),
      drain() {},
      close: (reason) => closes.push(reason),
    })
    return { closes, messages }
  }
  const early = openStream()
  await pass(100)
  expect(early.closes).toEqual(['lost'])
  peers.acceptReplication((stream) => {
    stream.handle({ message() {}, drain() {}, close() {} })
    stream.send({ refused: [] })
  })
  const late = openStream()
  await pass(100)
  expect(late).toMatchObject({ closes: [], messages: [{ refused: [] }] })
})
