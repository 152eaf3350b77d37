/** The composition root: every part of one broker is made and connected here, and ended in the opposite order. */
import type { Address, ByteTransport, Clock, FileSystem, Logger, Random } from '@naru/base'
import { lockDirectory, MetadataRuntime } from '@naru/consensus'
import { createHandlers } from '@naru/kafka-api'
import { LogDirectory, OpenFiles, topicPartitionOfDirectory } from '@naru/log'
import { Dispatcher, Listener } from '@naru/network'
import {
  FetchSessions,
  Partitions,
  ProducerIds,
  RetentionTask,
  TopicConfigs,
  Topics,
} from '@naru/services'
import type { BrokerConfig } from './config.ts'
import { directoryIdOf } from './directory-id.ts'
import type { Endpoint } from './endpoints.ts'
import { registration } from './registration.ts'

export interface BrokerOptions {
  readonly config: BrokerConfig
  readonly clock: Clock
  readonly random: Random
  readonly fileSystem: FileSystem
  readonly transport: ByteTransport
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
  const openFiles = new OpenFiles(options.fileSystem, config.number('naru.log.max.open.files'))
  started.defer(() => openFiles.closeAll())
  for (const path of new Set([...config.logDirs, config.metadataDir])) {
    await options.fileSystem.makeDirectory(path)
    started.use(await lockDirectory(path))
  }
  const metadata = started.use(
    await MetadataRuntime.open({
      ...options,
      directory: `${config.metadataDir}/__cluster_metadata`,
      self: `${config.nodeId}/${await directoryIdOf(options, config.metadataDir)}`,
      logger: logger.child('metadata'),
    }),
  )
  const topicConfigs = new TopicConfigs(metadata.image, config.topicDefaults)
  const parts: { partitions: Partitions | undefined } = { partitions: undefined }
  const directories = new Map<string, LogDirectory>()
  for (const path of config.logDirs) {
    const directory = await LogDirectory.open({
      ...options,
      path,
      openFiles,
      journal: journalSize(config),
      configOf: (name) => topicConfigs.of(topicPartitionOfDirectory(name)?.topic ?? ''),
      onOffline: (error) => {
        logger.error('log-directory-offline', { directory: path, err: error })
        parts.partitions?.directoryFailed(directory)
        if ([...directories.values()].every((each) => each.offline !== undefined)) {
          options.onFatal(error)
        }
      },
    })
    started.use(directory)
    directories.set(await directoryIdOf(options, path), directory)
  }
  const partitions = new Partitions({
    nodeId: config.nodeId,
    image: metadata.image,
    directories,
    clock: options.clock,
    logger,
    configOf: (topic) => topicConfigs.of(topic),
  })
  parts.partitions = partitions
  await partitions.adopt()
  metadata.onChange((records) => partitions.follow(records))
  const dispatcher = createDispatcher(options, { metadata, topicConfigs, partitions, directories })
  const retention = new RetentionTask({
    partitions,
    clock: options.clock,
    logger,
    intervalMs: config.number('log.retention.check.interval.ms'),
    producerExpirationMs: config.number('producer.id.expiration.ms'),
  })
  started.defer(() => retention.stop())
  const listeners = await startListeners(options, dispatcher, started)
  await metadata.submit((image) => registration(image, options, { listeners, directories }))
  retention.start()
  const stop = started.move()
  const { nodeId } = config
  return {
    nodeId,
    clusterId: metadata.image.clusterId,
    listeners,
    [Symbol.asyncDispose]: () => stop.disposeAsync(),
  }
}

function journalSize(config: BrokerConfig) {
  return {
    fileCount: 3,
    fileBytes: config.number('naru.journal.file.bytes'),
    fileBytesMax: config.number('naru.journal.file.max.bytes'),
    fileCountMax: config.number('naru.journal.files.max'),
  }
}

function createDispatcher(
  options: BrokerOptions,
  parts: {
    metadata: MetadataRuntime
    topicConfigs: TopicConfigs
    partitions: Partitions
    directories: ReadonlyMap<string, LogDirectory>
  },
): Dispatcher {
  const { config, clock, random, fileSystem, logger, onFatal } = options
  const { metadata, topicConfigs, partitions, directories } = parts
  const slots = config.number('max.incremental.fetch.session.cache.slots')
  const topics = new Topics({
    metadata,
    random,
    configs: topicConfigs,
    defaults: {
      partitions: config.number('num.partitions'),
      replicationFactor: config.number('default.replication.factor'),
    },
    isDeletionEnabled: config.flag('delete.topic.enable'),
  })
  const handlers = createHandlers({
    nodeId: config.nodeId,
    clock,
    metadata,
    partitions,
    topics,
    topicConfigs,
    fetchSessions: new FetchSessions({ clock, random, slots }),
    producerIds: new ProducerIds(metadata),
    directories: [...directories.values()],
    diskSpace: (path) => fileSystem.diskSpace(path),
    brokerConfigs: () => config.describe(),
    autoCreates: config.flag('auto.create.topics.enable'),
    limits: {
      fetchBytesMax: config.number('fetch.max.bytes'),
      describedPartitionsMax: config.number('max.request.partition.size.limit'),
    },
  })
  return new Dispatcher({ handlers, logger: logger.child('network'), onBug: onFatal })
}

async function startListeners(
  options: BrokerOptions,
  dispatcher: Dispatcher,
  started: AsyncDisposableStack,
): Promise<Endpoint[]> {
  const { config, transport, clock, logger } = options
  const endpoints: Endpoint[] = []
  for (const { listener: name, host, port } of config.listeners) {
    for (const address of addressesOf(host)) {
      const known = endpoints.find((endpoint) => endpoint.listener === name)
      const listener = new Listener({
        name,
        address: { host: address, port: known?.port ?? port },
        transport,
        clock,
        logger: logger.child('network'),
        dispatcher,
        limits: {
          connectionsMax: config.number('max.connections'),
          connectionsPerIpMax: config.number('max.connections.per.ip'),
          idleMs: config.number('connections.max.idle.ms'),
          requestBytesMax: config.number('socket.request.max.bytes'),
          inWorkBytesMax: config.number('naru.connection.max.inflight.bytes'),
        },
      })
      const bound = await listener.start()
      started.defer(() => listener.stop())
      if (known === undefined) endpoints.push({ listener: name, host, port: bound.port })
    }
  }
  return endpoints
}

/** `localhost` is both loopback addresses: clients try either. An empty host is every address. */
function addressesOf(host: string): string[] {
  if (host === 'localhost') return ['127.0.0.1', '::1']
  return [host === '' ? '::' : host]
}
