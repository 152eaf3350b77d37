/** The metadata of this broker as its configuration has it. */
import {
  MetadataRuntime,
  noNetwork,
  openMetadataStorage,
  type QuorumSettings,
} from '@naru/consensus'
import {
  changesPerBatchDefault,
  defaultTiming,
  initialLevels,
  type MetadataRecord,
} from '@naru/metadata'
import type { BrokerOptions } from './broker.ts'
import type { BrokerConfig } from './config.ts'
import { directoryIdOf } from './directory-id.ts'

/** Resolves when the quorum has a leader and this copy is up to date. */
export async function openMetadata(
  options: BrokerOptions,
  configDefault: (name: string) => string,
): Promise<MetadataRuntime> {
  const { config, clock, random, fileSystem, network, onFatal } = options
  const logger = options.logger.child('metadata')
  const { nodeId, metadataDir } = config
  const directoryId = await directoryIdOf({ ...options, nodeId }, metadataDir)
  const directory = `${metadataDir}/__cluster_metadata`
  const self = `${nodeId}/${directoryId}`
  return MetadataRuntime.open({
    nodeId,
    directoryId,
    openStorage: () => openMetadataStorage({ fileSystem, directory, self, logger }),
    quorum: quorumSettings(config),
    controller: {
      defaults: {
        partitions: config.number('num.partitions'),
        replicationFactor: config.number('default.replication.factor'),
      },
      replicationFactorMax: 1,
      isDeletionEnabled: config.flag('delete.topic.enable'),
      changesPerBatch: changesPerBatchDefault,
      configDefault,
    },
    firstRecords: (): MetadataRecord[] => [
      { type: 'cluster', clusterId: random.bytes(16).toString('base64url') },
      ...initialLevels.map((feature) => ({ type: 'feature', ...feature }) as const),
    ],
    liveness: {
      ...defaultTiming,
      sessionTimeoutMs: config.number('broker.session.timeout.ms'),
      heartbeatIntervalMs: config.number('broker.heartbeat.interval.ms'),
    },
    network: network ?? noNetwork(clock),
    clock,
    random,
    logger,
    onFatal,
  })
}

function quorumSettings({ quorum, internal, peerAddresses }: BrokerConfig): QuorumSettings {
  const { voters, bootstrapServers, electionTimeoutMs } = quorum
  return {
    voters: new Map(voters.map(({ nodeId, host, port }) => [nodeId, { host, port }])),
    bootstrapServers,
    electionTimeoutMs,
    listen: internal?.listen,
    advertised: internal?.advertised ?? { host: 'localhost', port: 0 },
    peerAddresses,
  }
}
