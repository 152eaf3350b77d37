/** Brokers over the real shells and a quorum of one voter. */
import { silentLogger } from '@naru/base'
import { MemoryDisk, MemoryRaftStorage, MetadataRuntime } from '@naru/consensus'
import { defaultTiming, supportedFeatures } from '@naru/metadata'
import { SeededRandom } from './seeded-random.ts'
import type { SimulatedClock } from './simulated-clock.ts'
import type { SimulatedNetwork } from './simulated-network.ts'

const port = 1_000
export const directoryIdOf = (nodeId: number) => `AAAAAAAAAAAAAAAAAAAAA${nodeId}`

/** Brokers of which only node 1 votes at first. Node N is on host `nN`. */
export interface LoneVoterWorld {
  readonly clock: SimulatedClock
  readonly network: SimulatedNetwork
}

/** Resolves when the broker takes part. */
export async function startBroker(
  { clock, network }: LoneVoterWorld,
  nodeId: number,
): Promise<MetadataRuntime> {
  const host = `n${nodeId}`
  const disk = new MemoryDisk()
  const { process, network: own } = network.start(host)
  const address = { host, port }
  const runtime = await clock.drive(
    MetadataRuntime.open({
      nodeId,
      directoryId: directoryIdOf(nodeId),
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
    { directoryId: directoryIdOf(nodeId), cleanliness: 'unknown', brokerEpoch: -1n } as const,
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
