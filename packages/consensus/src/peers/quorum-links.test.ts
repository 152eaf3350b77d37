import { silentLogger } from '@naru/base'
import { SeededRandom, SimulatedClock, SimulatedNetwork } from '@naru/simulator'
import { expect, it } from 'vitest'
import type { CallOutcome } from './frame.ts'
import { QuorumLinks } from './quorum-links.ts'

const port = 9_291
const payload = Buffer.from('answered')

/** Two nodes, of which the second answers calls when it is told to. */
async function twoNodes() {
  const clock = new SimulatedClock()
  const network = new SimulatedNetwork(clock, new SeededRandom(1))
  const inWork: ((outcome: CallOutcome) => void)[] = []
  const settings = {
    voters: new Map(['a', 'b'].map((host, index) => [index + 1, { host, port }])),
    bootstrapServers: [],
    electionTimeoutMs: 600,
    peerAddresses: new Map(),
  }
  const start = async (nodeId: number, host: string) => {
    const links = new QuorumLinks({
      nodeId,
      network: network.start(host).network,
      settings: { ...settings, listen: { host, port }, advertised: { host, port } },
      clock,
      logger: silentLogger,
      self: () => ({
        clusterId: 'c',
        nodeId,
        directoryId: host,
        incarnationId: `${host}-1`,
        isEmpty: false,
      }),
      registeredAddress: () => undefined,
      hasLeader: () => true,
      events: {
        call: () => new Promise((resolve) => inWork.push(resolve)),
        frame() {},
        hello() {},
        down() {},
        gone() {},
      },
    })
    await clock.drive(links.listen())
    return links
  }
  const [asking, asked] = [await start(1, 'a'), await start(2, 'b')]
  return { clock, asking, asked, inWork }
}

const request = { operation: 'readIndex', payload: Buffer.alloc(0), timeoutMs: 5_000 }

it('answers a call whose link has been replaced meanwhile', async () => {
  const { clock, asking, inWork } = await twoNodes()
  await clock.drive(asking.greet(2))
  const call = asking.calls.call(2, request)
  await clock.drive(clock.pause(100))
  expect(inWork).toHaveLength(1)
  await clock.drive(asking.greet(2))
  await clock.drive(clock.pause(100))
  inWork[0]?.({ index: 7n, payload })
  expect(await clock.drive(call)).toMatchObject({ index: 7n, payload })
})

it('says what it has to say over the link that replaces another one', async () => {
  const { clock, asking, inWork } = await twoNodes()
  await clock.drive(asking.greet(2))
  const greeting = asking.greet(2)
  const calls = Array.from({ length: 40 }, async (_, index) => {
    await clock.pause(0.05 * index)
    return asking.calls.call(2, request)
  })
  await clock.drive(greeting)
  const late = asking.calls.call(2, request)
  await clock.drive(clock.pause(100))
  expect(inWork).toHaveLength(calls.length + 1)
  for (const answer of inWork) answer({ index: 7n, payload })
  for (const outcome of await clock.drive(Promise.all([...calls, late]))) {
    expect(outcome).toMatchObject({ index: 7n })
  }
})
