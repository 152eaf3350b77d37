import type { Random } from '@naru/base'
import {
  type Decision,
  initialLevels,
  type MetadataImage,
  type MetadataRecord,
  supportedFeatures,
} from '@naru/metadata'
import { zeroTopicId } from '@naru/model'
import type { BrokerConfig } from './config.ts'
import { ConfigError } from './config-error.ts'
import type { Endpoint } from './endpoints.ts'

/** What a broker says of itself at each start: the cluster's first broker also names the cluster. */
export function registration(
  image: MetadataImage,
  { config, random }: { config: BrokerConfig; random: Random },
  started: { listeners: readonly Endpoint[]; directories: ReadonlyMap<string, unknown> },
): Decision<void> {
  const stranger = [...image.brokers.keys()].find((nodeId) => nodeId !== config.nodeId)
  if (stranger !== undefined) {
    throw new ConfigError('NARU-CFG-003', {
      message: `The data belongs to node.id ${stranger}, this broker has ${config.nodeId}`,
      where: config.metadataDir,
      hint: `Start with node.id=${stranger}, or with an empty log.dirs`,
    })
  }
  const records: MetadataRecord[] = []
  if (image.clusterId === '') {
    records.push({ type: 'cluster', clusterId: random.bytes(16).toString('base64url') })
  }
  for (const feature of initialLevels) {
    if (!image.features.has(feature.name)) records.push({ type: 'feature', ...feature })
  }
  const known = image.brokers.get(config.nodeId)
  const key = { nodeId: config.nodeId, brokerEpoch: (known?.brokerEpoch ?? 0n) + 1n }
  records.push({
    type: 'broker',
    ...key,
    incarnationId: random.bytes(16).toString('base64url'),
    rack: config.rack,
    endpoints: advertised(config, started.listeners),
    directories: [...started.directories.keys()],
    metadataDirectory: zeroTopicId,
    features: supportedFeatures,
  })
  const state = { isFenced: false, isShuttingDown: false, offlineDirectories: [] }
  records.push({ type: 'brokerState', ...key, ...state })
  return { records, response: undefined }
}

/** Port 0 stands for the port that was really bound, an empty host for this machine. */
function advertised(config: BrokerConfig, bound: readonly Endpoint[]): Endpoint[] {
  return config.advertised.map(({ listener, host, port }) => ({
    listener,
    host: host === '' || host === '0.0.0.0' || host === '::' ? 'localhost' : host,
    port: port === 0 ? (bound.find((each) => each.listener === listener)?.port ?? 0) : port,
  }))
}
