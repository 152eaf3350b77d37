/** The links to the other nodes of the quorum and its brokers: who they are, where they are, what they say, and whether they live. */
import type { Address, Clock, Logger, MessageNetwork } from '@naru/base'
import type { ReplicaKey } from '@naru/raft'
import type { QuorumSettings } from '../quorum-settings.ts'
import { nodeOf, replicaKey } from '../replica-key.ts'
import { Calls } from './calls.ts'
import type { CallOutcome, Frame, Hello } from './frame.ts'
import type { LinkEnd } from './peer-link.ts'
import { Peers } from './peers.ts'
import { ProcessWatch } from './process-watch.ts'
import { SeedSearch } from './seed-search.ts'

export interface QuorumLinksOptions {
  readonly nodeId: number
  readonly settings: QuorumSettings
  readonly network: MessageNetwork
  readonly clock: Clock
  readonly logger: Logger
  /** What this node says of itself, but for where it is reached. */
  readonly self: () => Omit<Hello, 'host' | 'port'>
  /** Where the metadata says that a node is. */
  readonly registeredAddress: (nodeId: number) => Address | undefined
  readonly hasLeader: () => boolean
  readonly events: LinksEvents
}

export interface LinksEvents {
  /** A request of another node. */
  call(operation: string, payload: Buffer, from: Hello): Promise<CallOutcome>
  frame(peer: Hello, frame: Frame): void
  /** A process has introduced itself, or its last link is gone. */
  hello(peer: Hello): void
  down(peer: Hello, end: LinkEnd): void
  /** A process is surely gone. */
  gone(peer: Hello): void
}

export class QuorumLinks implements AsyncDisposable {
  readonly calls: Calls
  /** Replicas that have introduced themselves: whom to ask for the log. */
  readonly contacts: ReplicaKey[] = []
  readonly #options: QuorumLinksOptions
  readonly #peers: Peers
  readonly #watch: ProcessWatch
  readonly #seeds: SeedSearch
  /** The last that each node said of itself. */
  readonly #known = new Map<number, Hello>()
  #advertised: Address

  constructor(options: QuorumLinksOptions) {
    this.#options = options
    const { clock, logger, network, settings, events, self } = options
    this.#advertised = settings.advertised
    this.#peers = new Peers({
      network,
      clock,
      logger,
      self: () => ({ ...self(), host: this.#advertised.host, port: this.#advertised.port }),
      addressOf: (id) => this.#addressOf(id),
    })
    this.calls = new Calls({
      clock,
      post: (id, frame) => this.post(id, frame),
      reply: (peer, frame) => this.#peers.reply(peer, frame),
      answer: (operation, payload, from) => events.call(operation, payload, from),
    })
    this.#watch = new ProcessWatch({
      clock,
      greet: ({ nodeId }) => this.greet(nodeId),
      onGone: (peer) => events.gone(peer),
    })
    this.#seeds = new SeedSearch({
      clock,
      intervalMs: settings.electionTimeoutMs,
      isNeeded: () => !options.hasLeader(),
      ask: () => this.#askSeeds(),
    })
    this.#peers.handle({
      hello: (peer) => this.#met(peer),
      frame: (peer, frame) => {
        this.calls.frame(peer, frame)
        events.frame(peer, frame)
      },
      down: (peer, end) => this.#down(peer, end),
    })
  }

  /** Where the other nodes reach this one. */
  get advertised(): Address {
    return this.#advertised
  }

  /** Takes links of others, if there is an address for that. */
  async listen(): Promise<void> {
    const { listen, advertised } = this.#options.settings
    if (listen === undefined) return
    const { port } = await this.#peers.listen(listen)
    this.#advertised = { ...advertised, port: advertised.port === 0 ? port : advertised.port }
  }

  post(nodeId: number, frame: Frame, directoryId?: string): void {
    this.#peers.post(nodeId, frame, directoryId)
  }

  /** Who answers at a node's address now, over a link of its own. Never rejects. */
  greet(nodeId: number): Promise<Hello | LinkEnd> {
    const address = this.#addressOf(nodeId)
    return address === undefined ? Promise.resolve('lost') : this.#peers.greet(address)
  }

  /** Looks for a leader at the addresses of old, as long as none is known. */
  search(): void {
    this.#seeds.check()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#seeds.stop()
    this.calls.stop()
    await this.#peers[Symbol.asyncDispose]()
  }

  #addressOf(nodeId: number): Address | undefined {
    const { settings, registeredAddress } = this.#options
    return (
      settings.peerAddresses.get(nodeId) ??
      this.#known.get(nodeId) ??
      registeredAddress(nodeId) ??
      settings.voters.get(nodeId)
    )
  }

  #askSeeds(): void {
    const { settings, nodeId } = this.#options
    for (const id of settings.voters.keys()) if (id !== nodeId) void this.greet(id)
    for (const address of settings.bootstrapServers) void this.#peers.greet(address)
  }

  #met(peer: Hello): void {
    this.#known.set(peer.nodeId, peer)
    const others = this.contacts.filter((key) => nodeOf(key) !== peer.nodeId)
    this.contacts.splice(0, this.contacts.length, ...others, replicaKey(peer))
    this.#options.events.hello(peer)
  }

  #down(peer: Hello, end: LinkEnd): void {
    this.calls.down(peer)
    this.#watch.down(peer, end)
    this.#options.events.down(peer, end)
  }
}
