/** Several brokers as people run them: processes with a server.properties each, on this machine. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { apis, type ResponseOf } from '@naru/protocol'
import { ClusterBroker } from './cluster-broker.ts'
import { eventually } from './eventually.ts'
import { lastingPorts } from './lasting-ports.ts'
import { PeerNetwork } from './peer-network.ts'
import { metadata } from './requests.ts'

export interface ClusterOptions {
  /** How many found the cluster and vote. */
  readonly size?: number
  readonly settings?: Readonly<Record<string, string>>
  /** Brokers reach each other through proxies. */
  readonly hasProxies?: boolean
}

export type Quorum = ResponseOf<typeof apis.describeQuorum>['topics'][number]['partitions'][number]

type ShownTopic = ResponseOf<typeof apis.metadata>['topics'][number]

const describeQuorumVersion = 2
const metadataVersion = 12

export class TestCluster implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'naru-cluster-'))
  readonly #brokers = new Map<number, ClusterBroker>()
  readonly #settings: Readonly<Record<string, string>>
  #network: PeerNetwork | undefined

  private constructor({ settings = {} }: ClusterOptions) {
    this.#settings = settings
  }

  /** Resolves when all brokers take requests. */
  static async start(options: ClusterOptions = {}): Promise<TestCluster> {
    const cluster = await TestCluster.prepare(options)
    try {
      await cluster.startAll()
      return cluster
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Nothing runs yet. */
  static async prepare(options: ClusterOptions = {}): Promise<TestCluster> {
    const cluster = new TestCluster(options)
    const ids = Array.from({ length: options.size ?? 3 }, (_, index) => index + 1)
    for (const id of ids) await cluster.#place(id)
    if (options.hasProxies === true) cluster.#network = await PeerNetwork.start(cluster.#brokers)
    for (const broker of cluster.brokers) {
      const reached = cluster.#network?.addressesFor(broker.id)
      const voters = cluster.brokers.map((voter) => {
        const address = reached?.get(voter.id) ?? `127.0.0.1:${voter.internalPort}`
        return `${voter.id}@${address}`
      })
      broker.settings.set('controller.quorum.voters', voters.join(','))
      if (reached === undefined) continue
      const peers = [...reached].map(([id, address]) => `${id}@${address}`)
      broker.settings.set('naru.peer.addresses', peers.join(','))
    }
    return cluster
  }

  get brokers(): ClusterBroker[] {
    return [...this.#brokers.values()]
  }

  broker(id: number): ClusterBroker {
    const broker = this.#brokers.get(id)
    if (broker === undefined) throw new Error(`No broker ${id}`)
    return broker
  }

  /** The brokers that would answer. */
  get active(): ClusterBroker[] {
    return this.brokers.filter(({ isActive }) => isActive)
  }

  others(broker: ClusterBroker): ClusterBroker[] {
    return this.brokers.filter((each) => each !== broker)
  }

  get bootstrap(): string {
    return this.brokers.map(({ bootstrap }) => bootstrap).join(',')
  }

  get network(): PeerNetwork {
    if (this.#network === undefined) throw new Error('This cluster has no proxies')
    return this.#network
  }

  /** Starts those that do not run. */
  async startAll(): Promise<void> {
    const starting = this.brokers.filter(({ isRunning }) => !isRunning)
    for (const broker of starting) broker.launch()
    await Promise.all(starting.map((broker) => broker.ready()))
  }

  async killAll(): Promise<void> {
    await Promise.all(this.brokers.map((broker) => broker.kill()))
  }

  /** A broker that is not among the founders, not started: it looks for the cluster at their addresses. */
  async add(id: number): Promise<ClusterBroker> {
    const founders = this.brokers.map(({ internalPort }) => `127.0.0.1:${internalPort}`)
    const broker = await this.#place(id)
    broker.settings.set('controller.quorum.bootstrap.servers', founders.join(','))
    return broker
  }

  /** Another process, not started, with the id and the voters of a broker and a disk and ports of its own. */
  async double(id: number): Promise<ClusterBroker> {
    const [kafkaPort, internalPort] = (await lastingPorts(2)) as [number, number]
    const directory = join(this.directory, `${id}-again`)
    const voters = this.broker(id).settings.get('controller.quorum.voters') ?? ''
    const own = new RegExp(`\\b${id}@[^,]*`)
    return new ClusterBroker(
      { id, directory, kafkaPort, internalPort },
      {
        ...this.#settings,
        'controller.quorum.voters': voters.replace(own, `${id}@127.0.0.1:${internalPort}`),
      },
    )
  }

  /** Who leads, as most of the active brokers and it itself say; waits for that. */
  controller(
    options: { among?: readonly ClusterBroker[]; withinMs?: number } = {},
  ): Promise<ClusterBroker> {
    const look = async () => {
      const among = options.among ?? this.active
      const named = await Promise.all(among.map((broker) => this.controllerSeenBy(broker)))
      const leader = among.find(({ id }, index) => named[index] === id)
      if (leader === undefined) return undefined
      return 2 * named.filter((id) => id === leader.id).length > among.length ? leader : undefined
    }
    return eventually('a controller that most brokers name', look, options.withinMs)
  }

  /** Who leads as far as one broker knows; -1 when it knows of none, undefined when it does not answer. */
  async controllerSeenBy(broker: ClusterBroker): Promise<number | undefined> {
    return (await broker.ask(apis.metadata, metadataVersion, metadata([])))?.controllerId
  }

  /** Undefined when the broker finds no controller that says so. */
  async quorumSeenBy(broker: ClusterBroker): Promise<Quorum | undefined> {
    const partitions = [{ partitionIndex: 0 }]
    const topics = [{ topicName: '__cluster_metadata', partitions }]
    const answer = await broker.ask(apis.describeQuorum, describeQuorumVersion, { topics })
    return answer?.errorCode === 0 ? answer.topics[0]?.partitions[0] : undefined
  }

  /** All topics as one broker shows them; undefined when it does not answer. */
  async topicsSeenBy(broker: ClusterBroker): Promise<readonly ShownTopic[] | undefined> {
    return (await broker.ask(apis.metadata, metadataVersion, metadata(null)))?.topics
  }

  /** What the brokers have logged, for the report of a failure. */
  get report(): string {
    return this.brokers.map((broker) => broker.report).join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.killAll()
    await this.#network?.[Symbol.asyncDispose]()
    rmSync(this.directory, { recursive: true, force: true })
  }

  async #place(id: number): Promise<ClusterBroker> {
    const [kafkaPort, internalPort] = (await lastingPorts(2)) as [number, number]
    const directory = join(this.directory, String(id))
    const broker = new ClusterBroker({ id, directory, kafkaPort, internalPort }, this.#settings)
    this.#brokers.set(id, broker)
    return broker
  }
}
