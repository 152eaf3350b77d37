/** The partitions of this broker: brought in line with the metadata, looked up by name or id. */
import type { Logger } from '@naru/base'
import { type Log, type LogDirectory, LogDirectoryError } from '@naru/log'
import {
  directoryOf,
  type MetadataImage,
  type MetadataRecord,
  type PartitionImage,
  resourceTypes,
  type TopicImage,
} from '@naru/metadata'
import {
  type KafkaError,
  kafkaErrors,
  type NodeId,
  type TopicConfig,
  type TopicId,
  topicPartitionKey,
} from '@naru/model'
import type { LeadingReplica } from '@naru/replication'
import { PartitionHost, type ReplicaSurroundings } from './partition-host.ts'

export interface PartitionsOptions {
  readonly nodeId: NodeId
  readonly image: MetadataImage
  /** By directory id. */
  readonly directories: ReadonlyMap<string, LogDirectory>
  readonly logger: Logger
  readonly around: ReplicaSurroundings
  readonly configOf: (topic: string) => TopicConfig
  /** Whether the metadata knows this process: what it says of the broker before was meant for another, which may have had more. */
  readonly isRegistered: () => boolean
  /** Whether this broker may still take itself for the leader of what it leads. */
  readonly isTrusted: () => boolean
  /** Nothing is left here of deleted topics, or of replicas that were moved away. */
  readonly onDeleted: (deletions: readonly Deletion[]) => void
}

/** `partition` is -1 for all of a deleted topic. */
export interface Deletion {
  readonly topicId: TopicId
  readonly partition: number
}

/** `unknown`: no log is missing of those that the process before had. */
export interface AbsentReplica {
  readonly topicId: TopicId
  readonly partition: number
  readonly lost: 'everything' | 'unknown'
}

const parallelCreations = 16
const parallelOpenings = 16
/** A broker that goes changes thousands of topics: others get their turn after so many. */
const topicsPerTurn = 500

export class Partitions {
  readonly #options: PartitionsOptions
  readonly #hosts = new Map<string, PartitionHost[]>()
  /** Of the topics that have hosts, by name. */
  readonly #topicIds = new Map<string, TopicId>()
  /** Replicated ones, whose logs are to be loaded without being asked for. */
  readonly #toOpen = new Set<PartitionHost>()
  #opening = 0
  #topicsInTurn = 0
  #turn: Promise<void> = Promise.resolve()
  /** The controller knows what the start has found missing. */
  #isReported = false

  constructor(options: PartitionsOptions) {
    this.#options = options
  }

  get(topic: string, partition: number): PartitionHost | undefined {
    return this.#hosts.get(topic)?.[partition]
  }

  /** The partition if this broker leads it, else what a client is told. */
  leading(topic: string, partition: number): PartitionHost | KafkaError {
    const { image, nodeId } = this.#options
    const known = image.topics.get(topic)?.partitions[partition]
    if (known === undefined) return kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
    if (known.leader !== nodeId) return kafkaErrors.NOT_LEADER_OR_FOLLOWER
    const host = this.get(topic, partition)
    // The image is ahead: a topic of that name that was deleted may be here still.
    if (host?.topicId !== known.topicId) return kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
    return host.isLeading ? host : kafkaErrors.NOT_LEADER_OR_FOLLOWER
  }

  /** A replica that may lead or follow: what of it can be read, it says itself. Else what a client is told. */
  replica(topic: string, partition: number): PartitionHost | KafkaError {
    const { image, nodeId } = this.#options
    const known = image.topics.get(topic)?.partitions[partition]
    if (known === undefined || known.leader === nodeId) return this.leading(topic, partition)
    const host = this.get(topic, partition)
    return host?.topicId === known.topicId ? host : kafkaErrors.NOT_LEADER_OR_FOLLOWER
  }

  /** As `leading`, for answers that no other replica confirms: a leader that may have been replaced must not give them. */
  leadingAlone(topic: string, partition: number): PartitionHost | KafkaError {
    if (!this.#options.isTrusted()) return kafkaErrors.NOT_LEADER_OR_FOLLOWER
    return this.leading(topic, partition)
  }

  /** What followers of the partition are sent; undefined while it does not lead here. */
  leadingReplica(topicId: TopicId, partition: number): LeadingReplica | undefined {
    const name = this.topicNamed(topicId)
    const host = name === undefined ? undefined : this.get(name, partition)
    return host?.topicId === topicId ? host.leading : undefined
  }

  /** Replicas that lead here and have followers elsewhere. */
  *replicated(): Generator<LeadingReplica> {
    for (const { leading } of this.all()) if (leading?.core.isReplicated) yield leading
  }

  topicNamed(topicId: TopicId): string | undefined {
    return this.#options.image.topicsById.get(topicId)?.name
  }

  *all(): Generator<PartitionHost> {
    for (const hosts of this.#hosts.values()) yield* hosts.filter((host) => host !== undefined)
  }

  /** At the start: takes over the logs that were found, makes those that are missing, sets aside those that nobody knows. */
  async adopt(): Promise<void> {
    const { image, logger, around } = this.#options
    around.onBrokerSettings()
    const claimed = new Set<Log>()
    for (const topic of [...image.topics.values()]) {
      await this.#breath()
      await this.#ensure(topic, claimed)
    }
    for (const directory of this.#options.directories.values()) {
      for (const log of [...directory.logs.values()]) {
        if (claimed.has(log)) continue
        const isDeleted =
          image.deletedTopics.has(directory.topicIdOf(log)) || this.#isMovedAway(directory, log)
        if (!isDeleted) logger.error('stray-log', { log: log.path })
        const suffix = isDeleted ? 'delete' : 'stray'
        await this.#unlessOffline(() => directory.deleteLog(log, { suffix }))
      }
    }
    this.#confirmDeletions(image.deletedTopics.keys())
    for (const topic of image.topics.values()) this.#confirmRemovals(topic)
  }

  /**
   * After a change of the metadata; resolves when the partitions can be used. The image may be ahead of the records: they say which
   * topics to look at, the image says what they are.
   */
  follow(records: readonly MetadataRecord[]): Promise<void> {
    return this.#inTurn(() => this.#follow(records))
  }

  /** The metadata has become another altogether: it came as a snapshot. */
  followAll(): Promise<void> {
    return this.#inTurn(() => this.#followAll())
  }

  async #follow(records: readonly MetadataRecord[]): Promise<void> {
    const { image } = this.#options
    const changed = new Set<string>()
    const removed: TopicId[] = []
    let hasOtherBrokers = false
    for (const record of records) {
      if (record.type === 'removeTopic') removed.push(record.topicId)
      else if (record.type === 'partition' || record.type === 'partitionStates') {
        changed.add(this.#nameOf(record.topicId))
      } else if (record.type === 'config' && record.resourceType === resourceTypes.topic) {
        await this.#configure(record.resourceName)
      } else if (record.type === 'config') this.#options.around.onBrokerSettings()
      else if (record.type === 'broker' || record.type === 'brokerState') hasOtherBrokers = true
    }
    for (const topicId of removed) changed.add(this.#nameOf(topicId))
    for (const name of changed) {
      await this.#breath()
      await this.#reconcile(name, image.topics.get(name))
    }
    if (hasOtherBrokers) for (const leading of this.replicated()) leading.brokersChanged()
    this.#confirmDeletions(removed)
  }

  async #followAll(): Promise<void> {
    const { image, around } = this.#options
    around.onBrokerSettings()
    for (const name of new Set([...this.#hosts.keys(), ...image.topics.keys()])) {
      await this.#breath()
      await this.#reconcile(name, image.topics.get(name))
      await this.#configure(name)
    }
    // Which brokers have come or gone it does not say.
    for (const leading of this.replicated()) leading.brokersChanged()
    this.#confirmDeletions(image.deletedTopics.keys())
  }

  /** A log directory went offline: whoever waits for its partitions is told. */
  directoryFailed(directory: LogDirectory): void {
    for (const host of this.all()) {
      if (host.directory === directory) host.fail(kafkaErrors.KAFKA_STORAGE_ERROR)
    }
  }

  /** Replicas that should be here and are not, while it has not been reported: lost, or not made before the process ended. */
  *absent(): Generator<AbsentReplica> {
    const { image, nodeId, directories } = this.#options
    if (this.#isReported) return
    for (const { name, partitions } of image.topics.values()) {
      for (const partition of partitions) {
        const isHere = this.get(name, partition.partition)?.topicId === partition.topicId
        if (isHere || !partition.replicas.includes(nodeId)) continue
        const directory = directories.get(directoryOf(partition, nodeId) ?? '')
        const lost = directory?.start.lacksLogs === false ? 'unknown' : 'everything'
        yield { topicId: partition.topicId, partition: partition.partition, lost }
      }
    }
  }

  /** Nobody counts on absent replicas any more: they are made now, empty. */
  makeAbsent(): Promise<void> {
    return this.#inTurn(async () => {
      const { image } = this.#options
      const topicIds = new Set([...this.absent()].map(({ topicId }) => topicId))
      this.#isReported = true
      for (const topicId of topicIds) {
        const topic = image.topicsById.get(topicId)
        if (topic !== undefined) await this.#ensure(topic, new Set())
      }
    })
  }

  /** Puts the log of a damaged replica aside; an empty one takes its place, for its leader to fill. */
  renew(host: PartitionHost): Promise<void> {
    return this.#inTurn(async () => {
      const { topic, partition, directory, log } = host
      const hosts = this.#hosts.get(topic) ?? []
      if (hosts[partition] !== host) return
      host.remove(kafkaErrors.KAFKA_STORAGE_ERROR)
      delete hosts[partition]
      await this.#unlessOffline(() => directory.deleteLog(log, { suffix: 'damaged' }))
      const known = this.#options.image.topicsById.get(host.topicId)
      if (known !== undefined) await this.#ensure(known, new Set())
    })
  }

  /** One change of what is here after the other. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }

  /** Lets others have their turn now and then. */
  async #breath(): Promise<void> {
    if (++this.#topicsInTurn < topicsPerTurn) return
    this.#topicsInTurn = 0
    await new Promise<void>((resolve) => this.#options.around.clock.afterTurn(resolve))
  }

  /** Makes the partitions of that name what `topic` says; absent means none. */
  async #reconcile(name: string, topic: TopicImage | undefined): Promise<void> {
    const topicId = this.#topicIds.get(name)
    if (topicId !== undefined && topicId !== topic?.topicId) await this.#remove(name, topicId)
    if (topic === undefined) return
    await this.#ensure(topic, new Set())
    this.#confirmRemovals(topic)
  }

  async #ensure(topic: TopicImage, claimed: Set<Log>): Promise<void> {
    const { nodeId } = this.#options
    const hosts = this.#hosts.get(topic.name) ?? []
    this.#hosts.set(topic.name, hosts)
    this.#topicIds.set(topic.name, topic.topicId)
    const mine = topic.partitions.filter((partition) => partition.replicas.includes(nodeId))
    let next = 0
    const runner = async () => {
      while (next < mine.length) {
        const partition = mine[next++] as PartitionImage
        const host = hosts[partition.partition] ?? (await this.#create(topic, partition))
        if (host === undefined) continue
        host.assume(this.#assignmentOf(partition))
        hosts[partition.partition] = host
        claimed.add(host.log)
        if (partition.replicas.length > 1) this.#open(host)
      }
    }
    await Promise.all(Array.from({ length: Math.min(parallelCreations, mine.length) }, runner))
    for (const { partition, removedReplicas } of topic.partitions) {
      if (removedReplicas.includes(nodeId)) await this.#moveAway(hosts, partition)
    }
  }

  /** A registration ends the leaderships of the process before; until it is seen, this one leads nothing. */
  #assignmentOf(partition: PartitionImage): PartitionImage {
    const { nodeId, isRegistered } = this.#options
    const isMeant = partition.leader !== nodeId || isRegistered()
    return isMeant ? partition : { ...partition, leader: -1 }
  }

  /** Loads the log of a replica that has to follow or to be followed, in its turn. */
  #open(host: PartitionHost): void {
    this.#toOpen.add(host)
    if (this.#opening >= parallelOpenings) return
    this.#opening++
    void this.#openNext().finally(() => this.#opening--)
  }

  async #openNext(): Promise<void> {
    for (const host of this.#toOpen) {
      this.#toOpen.delete(host)
      try {
        await host.open()
      } catch (error) {
        if (!(error instanceof LogDirectoryError)) throw error
        this.#options.logger.error('partition-offline', { log: host.log.name, err: error })
      }
    }
  }

  /** A record says that the replica is here no more (KIP-455). */
  async #moveAway(hosts: PartitionHost[], partition: number): Promise<void> {
    const host = hosts[partition]
    if (host === undefined) return
    delete hosts[partition]
    host.remove(kafkaErrors.NOT_LEADER_OR_FOLLOWER)
    await this.#unlessOffline(() => host.directory.deleteLog(host.log))
  }

  #isMovedAway(directory: LogDirectory, log: Log): boolean {
    const { image, nodeId } = this.#options
    const topic = image.topicsById.get(directory.topicIdOf(log))
    const partition = topic?.partitions.find(
      ({ partition: number }) => topicPartitionKey(topic.name, number) === log.name,
    )
    return partition?.removedReplicas.includes(nodeId) ?? false
  }

  #confirmRemovals({ topicId, name, partitions }: TopicImage): void {
    const { nodeId, onDeleted } = this.#options
    const gone = partitions.filter(
      ({ partition, removedReplicas }) =>
        removedReplicas.includes(nodeId) && this.get(name, partition) === undefined,
    )
    if (gone.length > 0) onDeleted(gone.map(({ partition }) => ({ topicId, partition })))
  }

  async #create(topic: TopicImage, partition: PartitionImage): Promise<PartitionHost | undefined> {
    const { nodeId, around, configOf, logger, directories } = this.#options
    const offline = { topic: topic.name, partition: partition.partition }
    const id = partition.directories[partition.replicas.indexOf(nodeId)] ?? ''
    const directory = directories.get(id)
    if (directory === undefined || directory.offline !== undefined) {
      logger.error('partition-offline', { ...offline, reason: 'its log directory is offline' })
      return undefined
    }
    const config = configOf(topic.name)
    const name = topicPartitionKey(topic.name, partition.partition)
    // The process before may have had it: as long as the replica counts for complete, no empty log takes its place.
    if (!this.#isReported && directory.logs.get(name) === undefined) return undefined
    try {
      const log = await logOf(directory, { name, topicId: topic.topicId, config })
      return new PartitionHost({
        topic: topic.name,
        topicId: topic.topicId,
        partition: partition.partition,
        log,
        directory,
        config,
        around,
      })
    } catch (error) {
      if (!(error instanceof LogDirectoryError)) throw error
      logger.error('partition-offline', { ...offline, reason: error.message })
      return undefined
    }
  }

  /** Data goes only where a record says that the topic is deleted; else it is set aside. */
  async #remove(name: string, topicId: TopicId): Promise<void> {
    const hosts = this.#hosts.get(name) ?? []
    this.#hosts.delete(name)
    this.#topicIds.delete(name)
    const suffix = this.#options.image.deletedTopics.has(topicId) ? 'delete' : 'stray'
    for (const host of hosts) {
      if (host === undefined) continue
      host.remove(kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION)
      await this.#unlessOffline(() => host.directory.deleteLog(host.log, { suffix }))
    }
  }

  /** Name of a topic that is or was there; empty for one that this broker never had. */
  #nameOf(topicId: TopicId): string {
    const { topicsById, deletedTopics } = this.#options.image
    const known = topicsById.get(topicId) ?? deletedTopics.get(topicId)
    if (known !== undefined) return known.name
    for (const [name, id] of this.#topicIds) if (id === topicId) return name
    return ''
  }

  /** Tells the controller that nothing is left here of deleted topics, so that it may forget them. */
  #confirmDeletions(topicIds: Iterable<TopicId>): void {
    const { image, nodeId, onDeleted } = this.#options
    const kept = new Set(this.#topicIds.values())
    const gone = [...topicIds].filter((topicId) => {
      const isHolder = image.deletedTopics.get(topicId)?.holders.includes(nodeId) ?? false
      return isHolder && !kept.has(topicId)
    })
    if (gone.length > 0) onDeleted(gone.map((topicId) => ({ topicId, partition: -1 })))
  }

  async #configure(topic: string): Promise<void> {
    const config = this.#options.configOf(topic)
    for (const host of this.#hosts.get(topic) ?? []) {
      if (host === undefined) continue
      host.config = config
      host.log.config = config
      await this.#unlessOffline(() => host.directory.setFlushMode(host.log, config.flush))
      host.configured()
    }
  }

  /** A directory that fails meanwhile has told so itself. */
  async #unlessOffline(work: () => Promise<unknown>): Promise<void> {
    try {
      await work()
    } catch (error) {
      if (!(error instanceof LogDirectoryError)) throw error
    }
  }
}

/** The log that was found, its flush mode as it is set now: the settings may have changed while the broker was down. */
async function logOf(
  directory: LogDirectory,
  { name, topicId, config }: { name: string; topicId: TopicId; config: TopicConfig },
): Promise<Log> {
  const found = directory.logs.get(name)
  if (found !== undefined && directory.topicIdOf(found) === topicId) {
    await directory.setFlushMode(found, config.flush)
    return found
  }
  if (found !== undefined) await directory.deleteLog(found, { suffix: 'stray' })
  return directory.createLog({ name, topicId, firstOffset: 0n, flushMode: config.flush, config })
}
