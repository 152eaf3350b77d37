/** One broker of a simulated cluster: its disk, which stays, and its process, which comes and goes. */
import {
  type Address,
  FileSystemError,
  type Logger,
  type MessageNetwork,
  type MessageStream,
  randomId,
} from '@naru/base'
import { MetadataRuntime, SessionError } from '@naru/consensus'
import {
  type AskedReplicas,
  type Candidate,
  type Cleanliness,
  type ControllerSettings,
  defaultTiming,
  initialLevels,
  type MetadataRecord,
  type RegisteredDirectory,
} from '@naru/metadata'
import { topicConfigKey } from '@naru/model'
import type { SeededRandom } from '../seeded-random.ts'
import type { SimulatedProcess } from '../simulated-process.ts'
import type { ClusterOptions } from './cluster-options.ts'
import { type LogArchive, LogView } from './log-archive.ts'
import { newerProgram, type ProgramVersion } from './program-versions.ts'
import { heldToDisk } from './promise-tap.ts'
import { RaftDisk } from './raft-disk.ts'
import { SimulatedRaftStorage } from './simulated-raft-storage.ts'

export const internalPort = 19_092

/** What a process does besides keeping the metadata. */
export interface NodeWork {
  /** A stream of a broker that follows partitions of this one. */
  acceptReplication(stream: MessageStream): void
  /** Brings it in line with the metadata. */
  open(runtime: MetadataRuntime, network: MessageNetwork): Promise<void>
  /** As the registration names them. */
  directories(): Promise<RegisteredDirectory[]>
  /** Each registration, before anything relies on it. */
  registered(brokerEpoch: bigint): Promise<void>
  /** Everything is up; it takes part when this resolves. */
  ready(): Promise<void>
  /** The process has given up its leaderships and ends. */
  close(runtime: MetadataRuntime): Promise<void>
}

export interface NodeWorld {
  readonly options: ClusterOptions
  readonly archive: LogArchive
  /** Of all nodes. */
  readonly addresses: readonly Address[]
  diskMs(): number
  diskFails(): boolean
  onSnapshot(life: NodeLife, index: bigint, state: Buffer): void
  workOf(life: NodeLife): NodeWork
  /** A part of a process says something. */
  onEvent(life: NodeLife, event: string, fields: Readonly<Record<string, unknown>>): void
}

/** One process of a node. */
export interface NodeLife {
  readonly node: ClusterNode
  readonly process: SimulatedProcess
  work: NodeWork | undefined
  runtime: MetadataRuntime | undefined
  view: LogView | undefined
  /** As its replica goes by them, on its disk or not. */
  voters: readonly string[]
  /** Up to where its copy has been held to the truth. */
  checkedIndex: bigint
  /** Where the last snapshot ends that has taken the place of its log: what it replaced was perhaps never committed. */
  restoredIndex: bigint
  isLeader: boolean
  isStopping: boolean
  /** Why the process has to end. */
  end: 'stopped' | 'failed' | undefined
  /** What must not happen. */
  bug: unknown
}

export class ClusterNode {
  readonly id: number
  readonly host: string
  disk: RaftDisk
  life: NodeLife | undefined
  /** How the last process ended, and the registration that it left on the disk. */
  cleanliness: Cleanliness = 'unknown'
  brokerEpoch = -1n
  /** What is started next. */
  program: ProgramVersion = newerProgram
  readonly random: SeededRandom

  constructor(id: number, random: SeededRandom) {
    this.id = id
    this.host = `n${id}`
    this.random = random
    this.disk = this.#newDisk()
  }

  get directoryId(): string {
    return this.disk.key.slice(this.disk.key.indexOf('/') + 1)
  }

  /** Another disk, with nothing on it. */
  replaceDisk(): void {
    this.disk = this.#newDisk()
    this.cleanliness = 'unknown'
    this.brokerEpoch = -1n
  }

  start(process: SimulatedProcess, network: MessageNetwork, world: NodeWorld): void {
    const life: NodeLife = {
      node: this,
      process,
      work: undefined,
      runtime: undefined,
      view: undefined,
      voters: [],
      checkedIndex: 0n,
      restoredIndex: 0n,
      isLeader: false,
      isStopping: false,
      end: undefined,
      bug: undefined,
    }
    this.life = life
    this.#live(life, network, world).catch((error: unknown) => noteFailure(life, error))
  }

  /** As SIGTERM. */
  stop(): void {
    const { life } = this
    const runtime = life?.runtime
    if (life === undefined || runtime === undefined || life.isStopping) return
    life.isStopping = true
    runtime.membership
      .leave()
      .then(() => life.work?.close(runtime))
      .then(() => runtime[Symbol.asyncDispose]())
      .then(() => {
        life.end = 'stopped'
      })
      .catch((error: unknown) => noteFailure(life, error))
  }

  async #live(life: NodeLife, network: MessageNetwork, world: NodeWorld): Promise<void> {
    const work = world.workOf(life)
    life.work = work
    const runtime = await this.#open(life, network, world)
    life.runtime = runtime
    await work.open(runtime, network)
    const { membership } = runtime
    const { host, port } = runtime.internalAddress
    const registration = async () => ({
      rack: null,
      endpoints: [{ listener: 'naru.internal', host, port }],
      directories: await work.directories(),
    })
    await membership.register(registration, async (epoch) => {
      await work.registered(epoch)
      this.brokerEpoch = epoch
      this.cleanliness = 'process-crash'
    })
    await work.ready()
    if (!life.isStopping) await membership.takePart()
  }

  #open(life: NodeLife, network: MessageNetwork, world: NodeWorld): Promise<MetadataRuntime> {
    const { id: nodeId, directoryId, disk, host } = this
    const { options } = world
    const { process } = life
    const random = this.random.split()
    const logger = loggerOf((event, fields) => world.onEvent(life, event, fields))
    const voters = Array.from({ length: options.voters }, (_, at) => {
      return [at + 1, { host: `n${at + 1}`, port: internalPort }] as const
    })
    return MetadataRuntime.open({
      nodeId,
      directoryId,
      openStorage: () => this.#openStorage(life, disk, world),
      quorum: {
        voters: new Map(voters),
        // All of them: a leader that is named nowhere cannot be reached by a newcomer yet.
        bootstrapServers: world.addresses,
        electionTimeoutMs: options.electionTimeoutMs,
        listen: { host, port: internalPort },
        advertised: { host, port: internalPort },
        peerAddresses: new Map(),
      },
      logLimits: options.logLimits,
      controller: controllerSettings(nodeId, options),
      firstRecords: (): MetadataRecord[] => [
        { type: 'cluster', clusterId: randomId(random) },
        ...initialLevels.map((feature) => ({ type: 'feature', ...feature }) as const),
      ],
      liveness: { ...defaultTiming, ...options.liveness },
      features: this.program.features,
      network: heldToDisk(network, disk),
      acceptReplication: (stream) => life.work?.acceptReplication(stream),
      logEnds: async (partitions) => partitions.map((asked) => inventedEnds(life, asked)),
      clock: process,
      random,
      logger,
      onFatal: (error) => noteFailure(life, error),
    })
  }

  async #openStorage(life: NodeLife, disk: RaftDisk, world: NodeWorld) {
    const storage = await SimulatedRaftStorage.open(disk, {
      process: life.process,
      delayMs: () => world.diskMs(),
      fails: () => world.diskFails(),
      onPersist: ({ reset, entries }) => {
        if (reset !== undefined) life.view?.reset(reset.index, reset.term)
        life.view?.append(entries)
      },
      onSnapshot: (index, state) => world.onSnapshot(life, index, state),
      onReceived: (index) => {
        life.restoredIndex = index
      },
    })
    const { snapshot, entries } = storage.stored
    const base =
      snapshot === undefined ? undefined : world.archive.at(snapshot.index, snapshot.term)
    life.view = new LogView(world.archive, disk.key, base, entries)
    return storage
  }

  #newDisk(): RaftDisk {
    return new RaftDisk(`${this.id}/${randomId(this.random)}`)
  }
}

export function controllerSettings(nodeId: number, options: ClusterOptions): ControllerSettings {
  return {
    nodeId,
    defaults: { partitions: 1, replicationFactor: 1, isReplicationFactorSet: true },
    isDeletionEnabled: true,
    changesPerBatch: options.changesPerBatch,
    configDefault: (name) => topicConfigKey(name)?.default ?? '',
  }
}

/** Nobody here has logs: whoever is elected, what is checked is that it may be. */
function inventedEnds({ runtime }: NodeLife, { replicas }: AskedReplicas): Candidate[] {
  return replicas.map((nodeId) => ({
    nodeId,
    brokerEpoch: runtime?.image.brokers.get(nodeId)?.brokerEpoch ?? -1n,
    lastEpoch: 0,
    logEndOffset: BigInt(nodeId),
  }))
}

/** A disk that fails and a controller that does not take this broker end the process; anything else is a bug. */
export function noteFailure(life: NodeLife, error: unknown): void {
  if (error instanceof FileSystemError || error instanceof SessionError) life.end ??= 'failed'
  else life.bug ??= error
}

export function loggerOf(
  note: (event: string, fields: Readonly<Record<string, unknown>>) => void,
): Logger {
  const say = (event: string, fields: Readonly<Record<string, unknown>> = {}) => note(event, fields)
  const logger: Logger = { debug: say, info: say, warn: say, error: say, child: () => logger }
  return logger
}
