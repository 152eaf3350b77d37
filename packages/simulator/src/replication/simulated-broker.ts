/** One process of a broker as `createBroker` composes it, with simulated disks for its logs and without listeners for clients. */
import type { MessageNetwork, MessageStream } from '@naru/base'
import { applyWith, createReplication, type Replication, writeSession } from '@naru/broker'
import type { MetadataRuntime } from '@naru/consensus'
import { type Log, LogDirectory, OpenFiles, topicPartitionOfDirectory } from '@naru/log'
import type { RegisteredDirectory } from '@naru/metadata'
import type { FollowingReplica } from '@naru/replication'
import {
  DeletionConfirmations,
  Partitions,
  type ReplicaSurroundings,
  TopicConfigs,
} from '@naru/services'
import { loggerOf, type NodeLife, type NodeWork, noteFailure } from '../cluster/cluster-node.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { type DataDisk, dataPath } from './data-disk.ts'
import type { ReplicationOptions } from './replication-options.ts'

export interface BrokerWorld {
  readonly dataOptions: ReplicationOptions
  onEvent(life: NodeLife, event: string, fields: Readonly<Record<string, unknown>>): void
  /** A process is about to look at its disks. */
  onProcess(broker: SimulatedBroker, incarnationId: string): void
  /** A process has found the session of the one before on a disk. */
  onReturn(broker: SimulatedBroker, brokerEpoch: bigint): void
  /** A process has found or made a log. */
  onLog(broker: SimulatedBroker, log: Log, found: FoundLog): void
  onTruncating(broker: SimulatedBroker, log: Log, endOffset: bigint): void
  onDeleting(log: Log): void
  onRestarting(broker: SimulatedBroker, log: Log, startOffset: bigint): void
  onRestarted(log: Log): void
  onStartMoved(log: Log): void
  onTruncated(log: Log, endOffset: bigint): void
}

export interface FoundLog {
  readonly directory: LogDirectory
  readonly data: DataDisk
  readonly isMade: boolean
}

/** Longer than a creation may be repeated: until then the controller has to know the ids of what was deleted. */
const confirmAfterMs = 31_000

export class SimulatedBroker implements NodeWork {
  readonly life: NodeLife
  readonly followers = new Set<FollowingReplica>()
  partitions: Partitions | undefined
  brokerEpoch = -1n
  readonly logDirectories = new Map<string, LogDirectory>()
  readonly #world: BrokerWorld
  readonly #disks: readonly DataDisk[]
  readonly #bootId: string
  readonly #random: SeededRandom
  #incarnationId = ''
  #runtime: MetadataRuntime | undefined
  #replication: Replication | undefined

  constructor(
    life: NodeLife,
    machine: {
      readonly world: BrokerWorld
      readonly disks: readonly DataDisk[]
      readonly bootId: string
    },
  ) {
    this.life = life
    this.#world = machine.world
    this.#disks = machine.disks
    this.#bootId = machine.bootId
    this.#random = life.node.random.split()
  }

  /** As whom a client would meet it. */
  get isServing(): boolean {
    return this.partitions !== undefined && this.life.process.state !== 'dead'
  }

  /** One of its log directories, or all. */
  get hasFailed(): boolean {
    return [...this.logDirectories.values()].some(({ offline }) => offline !== undefined)
  }

  acceptReplication(stream: MessageStream): void {
    if (this.#replication === undefined) stream.reset()
    else this.#replication.accept(stream)
  }

  async open(runtime: MetadataRuntime, network: MessageNetwork): Promise<void> {
    const { life } = this
    const { node, process } = life
    this.#incarnationId = runtime.incarnationId
    this.#runtime = runtime
    this.#world.onProcess(this, runtime.incarnationId)
    const logger = loggerOf((event, fields) => this.#world.onEvent(life, event, fields))
    const { lagMsMax, segmentBytes } = this.#world.dataOptions
    const defaults = new Map([
      ['segment.bytes', String(segmentBytes)],
      ['index.interval.bytes', '500'],
      ['file.delete.delay.ms', '50'],
    ])
    const topicConfigs = new TopicConfigs(runtime.image, {
      nodeId: node.id,
      topicDefaults: defaults,
    })
    for (const data of this.#disks) await this.#openDirectory(data, runtime, topicConfigs)
    const replication = createReplication(
      { nodeId: node.id, network, clock: process, logger, lagMsMax, peerAddresses: new Map() },
      runtime,
    )
    const confirmations = new DeletionConfirmations({
      ...{ nodeId: node.id, metadata: runtime, clock: process, logger },
    })
    const partitions = new Partitions({
      nodeId: node.id,
      image: runtime.image,
      directories: this.logDirectories,
      logger,
      around: this.#tapped(replication.around),
      configOf: (topic) => topicConfigs.of(topic),
      isRegistered: () => runtime.isRegistered,
      isTrusted: () => runtime.membership.isTrusted,
      onDeleted: (deletions) => {
        process.setTimer(confirmAfterMs, () => confirmations.add(deletions))
      },
    })
    this.partitions = partitions
    this.#replication = replication
    replication.serve(partitions)
    await runtime.follow(partitions)
  }

  async directories(): Promise<RegisteredDirectory[]> {
    const found: RegisteredDirectory[] = []
    for (const { id, disk } of this.#disks) {
      const registered = this.#runtime?.image.brokers.get(this.life.node.id)
      const applicant = { bootId: this.#bootId, incarnationId: this.#incarnationId, registered }
      const session = await applyWith(disk, dataPath, applicant)
      found.push({ directoryId: id, ...session })
      this.#world.onReturn(this, session.brokerEpoch)
    }
    return found
  }

  async registered(brokerEpoch: bigint): Promise<void> {
    await this.#writeSessions({ brokerEpoch, isClean: false })
    this.brokerEpoch = brokerEpoch
    await this.#replication?.registered(brokerEpoch)
  }

  async ready(): Promise<void> {}

  async close(runtime: MetadataRuntime): Promise<void> {
    this.#replication?.[Symbol.dispose]()
    for (const directory of this.logDirectories.values()) await directory.close()
    const { brokerEpoch } = runtime.membership
    if (brokerEpoch !== undefined) await this.#writeSessions({ brokerEpoch, isClean: true })
  }

  async #writeSessions(ended: { brokerEpoch: bigint; isClean: boolean }): Promise<void> {
    const session = { ...ended, bootId: this.#bootId, incarnationId: this.#incarnationId }
    for (const { id, disk } of this.#disks) {
      const isOffline = this.logDirectories.get(id)?.offline !== undefined
      if (!isOffline || !ended.isClean) await writeSession(disk, dataPath, session)
    }
  }

  async #openDirectory(
    data: DataDisk,
    runtime: MetadataRuntime,
    topicConfigs: TopicConfigs,
  ): Promise<void> {
    const { life } = this
    const { journalBytes } = this.#world.dataOptions
    await data.disk.makeDirectory(dataPath)
    await data.disk.syncDirectory('/')
    const directory = await LogDirectory.open({
      path: dataPath,
      fileSystem: data.disk,
      clock: life.process,
      random: this.#random,
      logger: loggerOf((event, fields) => this.#world.onEvent(life, event, fields)),
      openFiles: new OpenFiles(data.disk, 50),
      journal: {
        fileCount: 3,
        fileBytes: journalBytes,
        fileBytesMax: 4 * journalBytes,
        fileCountMax: 6,
      },
      configOf: (name) => topicConfigs.of(topicPartitionOfDirectory(name)?.topic ?? ''),
      onOffline: (error) => this.#failed(runtime, error),
    })
    this.#tapDirectory(directory, data)
    this.logDirectories.set(data.id, directory)
  }

  #failed(runtime: MetadataRuntime, error: Error): void {
    const { life, logDirectories } = this
    const offline = [...logDirectories].filter(([, { offline }]) => offline !== undefined)
    for (const [, directory] of offline) this.partitions?.directoryFailed(directory)
    const { cause } = error
    if (offline.length === logDirectories.size) noteFailure(life, cause)
    else runtime.membership.directoriesFailed(offline.map(([id]) => id))
  }

  #tapped(around: ReplicaSurroundings): ReplicaSurroundings {
    return {
      ...around,
      follow: (replica) => {
        this.followers.add(replica)
        around.follow(replica)
      },
      unfollow: (replica) => {
        this.followers.delete(replica)
        around.unfollow(replica)
      },
    }
  }

  #tapDirectory(directory: LogDirectory, data: DataDisk): void {
    const world = this.#world
    for (const log of directory.logs.values()) {
      world.onLog(this, log, { directory, data, isMade: false })
    }
    const create = directory.createLog.bind(directory)
    directory.createLog = async (request) => {
      const log = await create(request)
      world.onLog(this, log, { directory, data, isMade: true })
      return log
    }
    const deleteLog = directory.deleteLog.bind(directory)
    directory.deleteLog = (log, options) => {
      world.onDeleting(log)
      return deleteLog(log, options)
    }
    const restartAt = directory.restartAt.bind(directory)
    directory.restartAt = async (log, startOffset) => {
      world.onRestarting(this, log, startOffset)
      await restartAt(log, startOffset)
      world.onRestarted(log)
    }
    const moveStart = directory.moveStart.bind(directory)
    directory.moveStart = async (log, offset) => {
      await moveStart(log, offset)
      world.onStartMoved(log)
    }
    const truncate = directory.truncate.bind(directory)
    directory.truncate = async (log, endOffset) => {
      world.onTruncating(this, log, endOffset)
      const reached = await truncate(log, endOffset)
      world.onTruncated(log, reached)
      return reached
    }
  }
}
