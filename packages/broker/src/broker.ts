/** The composition root: every part of one broker is made and connected here, and ended in the opposite order. */
import type {
  Address,
  ByteTransport,
  Clock,
  FileSystem,
  Logger,
  MessageNetwork,
  MessageStream,
  Random,
} from '@naru/base'
import { lockDirectory, type MetadataRuntime, noNetwork } from '@naru/consensus'
import { createHandlers } from '@naru/kafka-api'
import type { LogDirectory } from '@naru/log'
import type { AskedReplicas, SupportedFeature } from '@naru/metadata'
import { Dispatcher } from '@naru/network'
import {
  BrokerConfigs,
  Cluster,
  DeletionConfirmations,
  defaultTopicConfig,
  EventWatches,
  FetchSessions,
  leaderSelector,
  logEndsOperation,
  PartitionAdmin,
  PartitionHistory,
  Partitions,
  type PartitionsOptions,
  ProducerIds,
  ReplicaLogEnds,
  RetentionTask,
  rackAwareSelector,
  TopicConfigs,
  Topics,
} from '@naru/services'
import type { BoundAddresses } from './bound-addresses.ts'
import type { BrokerConfig } from './config.ts'
import { replicaSelectors } from './config-keys.ts'
import type { Endpoint } from './endpoints.ts'
import { startGrpcListener } from './grpc-listener.ts'
import { startKafkaListeners } from './kafka-listeners.ts'
import { openLogDirectories } from './log-directories.ts'
import { join } from './membership.ts'
import { openMetadata } from './metadata.ts'
import { createReplication, type Replication, type ReplicationOptions } from './replication.ts'

export interface BrokerOptions {
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly random: Random
  readonly fileSystem: FileSystem
  /** To clients. */
  readonly transport: ByteTransport
  /** To the other brokers; undefined for one that belongs to nobody else. */
  readonly network: MessageNetwork | undefined
  /** Of this run of the kernel; empty where nobody knows, which counts as another one. */
  readonly bootId: string
  /** What this program can read and write: the levels of features that it can take part in. */
  readonly features: readonly SupportedFeature[]
  readonly logger: Logger
  /** Something that must not happen has happened: the process must end. */
  readonly onFatal: (error: unknown) => void
}

export interface Broker extends AsyncDisposable {
  readonly nodeId: number
  readonly clusterId: string
  /** With the real ports. */
  readonly listeners: readonly Endpoint[]
  /** Where gRPC clients reach it. */
  readonly grpc?: Address
  /** As this broker sees it when it is ready; undefined for a broker that belongs to no other. */
  readonly quorum?: QuorumView
}

export interface QuorumView {
  readonly leaderId: number
  readonly leaderEpoch: number
  /** Node ids. */
  readonly voters: readonly number[]
}

/** Starts a broker; it answers when this resolves. Disposing of it stops it cleanly. */
export async function createBroker(options: BrokerOptions): Promise<Broker> {
  const { config, logger } = options
  await using started = new AsyncDisposableStack()
  if (config.withoutEffect.length > 0) {
    logger.warn('keys-without-effect', { keys: config.withoutEffect })
  }
  for (const path of new Set([...config.logDirs, config.metadataDir])) {
    await options.fileSystem.makeDirectory(path)
    started.use(await lockDirectory(path))
  }
  const parts: Parts = {}
  const history = new PartitionHistory()
  const metadata = started.use(
    await openMetadata(options, {
      configDefault: (name) => defaultTopicConfig(config.topicDefaults, name),
      ...answeredBy(parts),
      onEvents: (events) => history.note(events),
    }),
  )
  const topicConfigs = new TopicConfigs(metadata.image, config)
  const directories = await openLogDirectories(options, {
    metadata,
    topicConfigs,
    started,
    onFailed: (directory) => parts.partitions?.directoryFailed(directory),
  })
  const replication = started.use(createReplication(replicationOptions(options), metadata))
  const partitions = new Partitions({
    nodeId: config.nodeId,
    image: metadata.image,
    directories,
    logger,
    around: replication.around,
    configOf: (topic) => topicConfigs.of(topic),
    isRegistered: () => metadata.isRegistered,
    isTrusted: () => metadata.membership.isTrusted,
    onDeleted: confirmer(options, metadata, started),
  })
  parts.partitions = partitions
  parts.replication = replication
  replication.serve(partitions)
  await metadata.follow(partitions)
  const cluster = new Cluster(metadata)
  const logEnds = new ReplicaLogEnds({ metadata, partitions })
  parts.logEnds = logEnds
  const partitionAdmin = new PartitionAdmin({
    metadata,
    logEnds: (asked) => logEnds.of(asked),
    ...{ history, topicConfigs },
  })
  const bound: { addresses: BoundAddresses | undefined } = { addresses: undefined }
  const ofFile = () => config.describe(bound.addresses)
  const services = {
    ...{ metadata, cluster, partitionAdmin, topicConfigs, partitions, directories },
    ofFile,
  }
  const dispatcher = createDispatcher(options, services)
  const retention = retentionTask(options, partitions)
  started.defer(() => retention.stop())
  const listeners = await startKafkaListeners(options, dispatcher, started)
  const events = new EventWatches({ nodeId: config.nodeId, metadata, clock: options.clock })
  const grpc = await startGrpcListener(options, { cluster, events, partitionAdmin }, started)
  bound.addresses = { listeners, grpc }
  await join(options, metadata, {
    ...{ listeners, grpc: grpc?.advertised, directories },
    onRegistered: (brokerEpoch) => replication.registered(brokerEpoch),
  })
  retention.start()
  const stop = started.move()
  const { nodeId } = config
  return {
    nodeId,
    clusterId: metadata.image.clusterId,
    listeners,
    ...(grpc === undefined ? {} : { grpc: grpc.advertised }),
    ...(config.quorum.isAlone ? {} : { quorum: await quorumSeen(metadata) }),
    [Symbol.asyncDispose]: async () => {
      await metadata.membership.leave()
      await stop.disposeAsync()
    },
  }
}

/** What others ask of this broker, and may ask before all of it is there. */
interface Parts {
  partitions?: Partitions
  replication?: Replication
  logEnds?: ReplicaLogEnds
}

function answeredBy(parts: Parts) {
  return {
    // Who comes before there are partitions comes again.
    acceptReplication: (stream: MessageStream) =>
      parts.replication === undefined ? stream.reset() : parts.replication.accept(stream),
    answerBroker: (operation: string, payload: Buffer) =>
      operation === logEndsOperation ? parts.logEnds?.answer(payload) : undefined,
    // A controller that is not ready itself asks again.
    logEnds: async (asked: readonly AskedReplicas[]) => (await parts.logEnds?.of(asked)) ?? [],
  }
}

function retentionTask({ config, clock, logger }: BrokerOptions, partitions: Partitions) {
  return new RetentionTask({
    partitions,
    clock,
    logger,
    intervalMs: config.number('log.retention.check.interval.ms'),
    producerExpirationMs: config.number('producer.id.expiration.ms'),
  })
}

/** Tells the controller of deletions until the broker stops. */
function confirmer(
  { config: { nodeId }, clock, logger }: BrokerOptions,
  metadata: MetadataRuntime,
  started: AsyncDisposableStack,
): PartitionsOptions['onDeleted'] {
  const confirmations = new DeletionConfirmations({ nodeId, metadata, clock, logger })
  started.defer(() => confirmations.stop())
  return (deletions) => confirmations.add(deletions)
}

function replicationOptions({ config, clock, logger, network }: BrokerOptions): ReplicationOptions {
  return {
    nodeId: config.nodeId,
    network: network ?? noNetwork(clock),
    clock,
    logger: logger.child('replication'),
    lagMsMax: config.number('replica.lag.time.max.ms'),
    peerAddresses: config.peerAddresses,
  }
}

async function quorumSeen(metadata: MetadataRuntime): Promise<QuorumView> {
  const { leaderId, leaderEpoch, replicas } = await metadata.quorum()
  const voters = replicas.filter(({ isVoter }) => isVoter).map(({ nodeId }) => nodeId)
  return { leaderId, leaderEpoch, voters }
}

function createDispatcher(
  options: BrokerOptions,
  parts: {
    metadata: MetadataRuntime
    cluster: Cluster
    partitionAdmin: PartitionAdmin
    topicConfigs: TopicConfigs
    partitions: Partitions
    directories: ReadonlyMap<string, LogDirectory>
    ofFile: () => ReturnType<BrokerConfig['describe']>
  },
): Dispatcher {
  const { config, clock, random, fileSystem, logger, onFatal } = options
  const { metadata, cluster, partitionAdmin, topicConfigs, partitions, directories, ofFile } = parts
  const slots = config.number('max.incremental.fetch.session.cache.slots')
  const topics = new Topics({ metadata, random })
  const isRackAware = config.text('replica.selector.class') === replicaSelectors.rackAware
  const handlers = createHandlers({
    nodeId: config.nodeId,
    clock,
    metadata,
    cluster,
    partitionAdmin,
    partitions,
    topics,
    topicConfigs,
    fetchSessions: new FetchSessions({ clock, random, slots }),
    replicaSelector: isRackAware
      ? rackAwareSelector(config.nodeId, metadata.image)
      : leaderSelector,
    producerIds: new ProducerIds(metadata),
    directories: [...directories.values()],
    diskSpace: (path) => fileSystem.diskSpace(path),
    brokerConfigs: new BrokerConfigs({ nodeId: config.nodeId, metadata, ofFile }),
    autoCreates: config.flag('auto.create.topics.enable'),
    limits: {
      fetchBytesMax: config.number('fetch.max.bytes'),
      describedPartitionsMax: config.number('max.request.partition.size.limit'),
    },
  })
  return new Dispatcher({ handlers, logger: logger.child('network'), onBug: onFatal })
}
