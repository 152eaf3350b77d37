// Links between brokers, where one side may not know that they are over.
import { silentLogger } from '@naru/base'
import { expect, it } from 'vitest'
import type { Frame, Hello } from '../../consensus/src/peers/frame.ts'
import { Peers } from '../../consensus/src/peers/peers.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedNetwork } from './simulated-network.ts'

const address = (nodeId: number) => ({ host: `n${nodeId}`, port: 1 })

async function startPeers(
  hosts: SimulatedNetwork,
  nodeId: number,
  heard: Frame[],
  down: (peer: Hello) => void = () => {},
) {
  const { process, network } = hosts.start(`n${nodeId}`)
  const self: Hello = {
    clusterId: '',
    nodeId,
    directoryId: 'd',
    incarnationId: `i${nodeId}`,
    isEmpty: true,
    ...address(nodeId),
  }
  const peers = new Peers({
    network,
    clock: process,
    logger: silentLogger,
    self: () => self,
    addressOf: address,
  })
  peers.handle({ hello() {}, undelivered() {}, frame: (_, frame) => heard.push(frame), down })
  await peers.listen(address(nodeId))
  return peers
}

it('answers over the link that it hears, not over a newer one that leads nowhere', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const clock = new SimulatedClock()
    const hosts = new SimulatedNetwork(clock, new SeededRandom(seed))
    const heardByOne: Frame[] = []
    const heardByTwo: Frame[] = []
    const one = await startPeers(hosts, 1, heardByOne)
    const two = await startPeers(hosts, 2, heardByTwo)
    await clock.drive(two.greet(address(1)))
    await clock.drive(one.greet(address(2)))
    await clock.drive(clock.pause(10))
    const [, newer] = hosts.streams
    // The second broker learns it; the first goes on as if nothing had happened.
    newer?.breakHalf(0)
    await clock.drive(clock.pause(100))
    heardByOne.length = 0
    heardByTwo.length = 0
    two.post(1, { isGoodbye: false, calls: [{ id: 1, operation: 'a', payload: Buffer.alloc(0) }] })
    await clock.drive(clock.pause(100))
    expect(heardByOne).toHaveLength(1)
    one.post(2, { results: [{ id: 1, index: 0n, payload: Buffer.alloc(0) }] })
    await clock.drive(clock.pause(100))
    expect(heardByTwo).toHaveLength(1)
  }
})

it('opens another link when nothing comes back over the one that there is', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const clock = new SimulatedClock()
    const hosts = new SimulatedNetwork(clock, new SeededRandom(seed))
    const heard: Frame[] = []
    const one = await startPeers(hosts, 1, [])
    await startPeers(hosts, 2, heard)
    await clock.drive(one.greet(address(2)))
    await clock.drive(clock.pause(10))
    hosts.streams[0]?.breakHalf(0)
    await clock.drive(clock.pause(100))
    heard.length = 0
    for (let second = 0; second < 8; second++) {
      one.post(2, { calls: [{ id: 1, operation: 'a', payload: Buffer.alloc(0) }] })
      await clock.drive(clock.pause(1_000))
    }
    expect(heard.length).toBeGreaterThan(0)
  }
})

it('does not look after itself when it finds itself among the addresses where it looks for others', async () => {
  const clock = new SimulatedClock()
  const hosts = new SimulatedNetwork(clock, new SeededRandom(1))
  const downs: Hello[] = []
  const one = await startPeers(hosts, 1, [], (peer) => downs.push(peer))
  await clock.drive(one.greet(address(1)))
  await clock.drive(clock.pause(1_000))
  // A watch on the process would ask it again who it is, and so on for ever.
  expect(downs).toEqual([])
  expect(hosts.streams).toEqual([])
})
