// A broker without a vote whose leader says nothing any more, over the real shells.
import { silentLogger } from '@naru/base'
import { MemoryDisk, MemoryRaftStorage, MetadataRuntime } from '@naru/consensus'
import { defaultTiming, supportedFeatures } from '@naru/metadata'
import { beforeEach, expect, it } from 'vitest'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedNetwork } from './simulated-network.ts'

const port = 1_000
const idOf = (nodeId: number) => `AAAAAAAAAAAAAAAAAAAAA${nodeId}`

let clock: SimulatedClock
let network: SimulatedNetwork
let observer: MetadataRuntime

/** The only voter is node 1, on host `n1`. */
async function start(nodeId: number): Promise<MetadataRuntime> {
  const host = `n${nodeId}`
  const disk = new MemoryDisk()
  const { process, network: own } = network.start(host)
  const address = { host, port }
  const runtime = await clock.drive(
    MetadataRuntime.open({
      nodeId,
      directoryId: idOf(nodeId),
      openStorage: async () => new MemoryRaftStorage(disk),
      quorum: {
        voters: new Map([[1, { host: 'n1', port }]]),
        bootstrapServers: [{ host: 'n1', port }],
        electionTimeoutMs: 600,
        listen: address,
        advertised: address,
        peerAddresses: new Map(),
      },
      controller: {
        nodeId: 1,
        defaults: { partitions: 1, replicationFactor: 1, isReplicationFactorSet: true },
        changesPerBatch: 100,
        isDeletionEnabled: true,
        configDefault: () => '1',
      },
      liveness: defaultTiming,
      features: supportedFeatures,
      firstRecords: () => [{ type: 'cluster', clusterId: 'c' }],
      network: own,
      clock: process,
      random: new SeededRandom(nodeId),
      logger: silentLogger,
      onFatal: (error) => {
        throw error
      },
    }),
  )
  const directories = [
    { directoryId: idOf(nodeId), cleanliness: 'unknown', brokerEpoch: -1n } as const,
  ]
  const registration = { rack: null, endpoints: [], directories } as const
  await clock.drive(
    runtime.membership.register(
      async () => registration,
      async () => {},
    ),
  )
  await clock.drive(runtime.membership.takePart())
  return runtime
}

beforeEach(async () => {
  clock = new SimulatedClock()
  network = new SimulatedNetwork(clock, new SeededRandom(1))
  await start(1)
  observer = await start(2)
  expect(observer.controllerId).toBe(1)
  network.stop('n1')
  await clock.drive(clock.pause(2_000))
})

it('is without a leader, and finds the one that goes on', async () => {
  expect(observer.controllerId).toBeUndefined()
  network.goOn('n1')
  await clock.drive(clock.pause(2_000))
  expect(observer.controllerId).toBe(1)
})

it('lets it stop without waiting for it', async () => {
  const beforeMs = clock.monotonic()
  await clock.drive(observer.membership.leave())
  expect(clock.monotonic() - beforeMs).toBeLessThan(2_000)
})
