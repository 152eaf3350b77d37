/** The metadata of this broker as its configuration has it. */
import { randomId } from '@naru/base'
import {
  type MetadataNodeOptions,
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

/** What the parts above the metadata do with it. */
interface MetadataSurroundings
  extends Pick<MetadataNodeOptions, 'acceptReplication' | 'answerBroker' | 'logEnds' | 'onEvents'> {
  readonly configDefault: (name: string) => string
}

/** Resolves when the quorum has a leader and this copy is up to date. */
export async function openMetadata(
  options: BrokerOptions,
  { configDefault, ...above }: MetadataSurroundings,
): Promise<MetadataRuntime> {
  const { config, clock, random, fileSystem, network, features, onFatal } = options
  const logger = options.logger.child('metadata')
  const { nodeId, metadataDir } = config
  const directoryId = await directoryIdOf({ ...options, nodeId }, metadataDir)
  const directory = `${metadataDir}/__cluster_metadata`
  const self = `${nodeId}/${directoryId}`
  return MetadataRuntime.open({
    nodeId,
    directoryId,
    openStorage: () => openMetadataStorage({ fileSystem, directory, self, logger }),
    timeline: { fileSystem, directory: `${directory}/timeline` },
    quorum: quorumSettings(config),
    controller: {
      nodeId,
      defaults: {
        partitions: config.number('num.partitions'),
        replicationFactor: config.number('default.replication.factor'),
        isReplicationFactorSet: config.isSet('default.replication.factor'),
      },
      isDeletionEnabled: config.flag('delete.topic.enable'),
      changesPerBatch: changesPerBatchDefault,
      configDefault,
    },
    firstRecords: (): MetadataRecord[] => [
      { type: 'cluster', clusterId: randomId(random) },
      ...initialLevels.map((feature) => ({ type: 'feature', ...feature }) as const),
    ],
    liveness: {
      ...defaultTiming,
      sessionTimeoutMs: config.number('broker.session.timeout.ms'),
      heartbeatIntervalMs: config.number('broker.heartbeat.interval.ms'),
    },
    rebalanceMs: config.flag('auto.leader.rebalance.enable')
      ? config.number('leader.imbalance.check.interval.seconds') * 1_000
      : undefined,
    ...above,
    features,
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
