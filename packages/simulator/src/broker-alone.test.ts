// A broker that is a cluster of its own: the same code as a quorum of several, and nobody to wait for.
import { silentLogger } from '@naru/base'
import { MemoryDisk, MemoryRaftStorage, MetadataRuntime, noNetwork } from '@naru/consensus'
import { defaultTiming, supportedFeatures } from '@naru/metadata'
import { expect, it } from 'vitest'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'

const directoryId = 'AAAAAAAAAAAAAAAAAAAAAQ'

it('takes part at once when it is started again, whatever became of the process before', async () => {
  const clock = new SimulatedClock()
  const random = new SeededRandom(1)
  const disk = new MemoryDisk()
  let brokerEpoch = -1n
  const start = async () => {
    const begunMs = clock.monotonic()
    const runtime = await clock.drive(
      MetadataRuntime.open({
        nodeId: 1,
        directoryId,
        openStorage: async () => new MemoryRaftStorage(disk),
        quorum: {
          voters: new Map(),
          bootstrapServers: [],
          electionTimeoutMs: 600,
          listen: undefined,
          advertised: { host: 'localhost', port: 0 },
          peerAddresses: new Map(),
        },
        controller: {
          nodeId: 1,
          defaults: { partitions: 1, replicationFactor: 1, isReplicationFactorSet: true },
          isDeletionEnabled: true,
          changesPerBatch: 100,
          configDefault: () => '1',
        },
        liveness: defaultTiming,
        features: supportedFeatures,
        firstRecords: () => [{ type: 'cluster', clusterId: 'c' }],
        network: noNetwork(clock),
        clock,
        random: random.split(),
        logger: silentLogger,
        onFatal: (error) => {
          throw error
        },
      }),
    )
    const directories = [{ directoryId, cleanliness: 'process-crash', brokerEpoch } as const]
    const { membership } = runtime
    await clock.drive(
      membership.register(
        async () => ({ rack: null, endpoints: [], directories }),
        async (epoch) => {
          brokerEpoch = epoch
        },
      ),
    )
    await clock.drive(membership.takePart())
    return { runtime, tookMs: clock.monotonic() - begunMs }
  }
  const first = await start()
  expect(first.tookMs).toBeLessThan(50)
  await clock.drive(first.runtime[Symbol.asyncDispose]())
  const second = await start()
  expect(second.tookMs).toBeLessThan(50)
  expect(second.runtime.image.brokers.get(1)).toMatchObject({ isFenced: false, brokerEpoch })
})
