/** The links to the other nodes of the quorum and its brokers: who they are, where they are, what they say, and whether they live. */
import type { Address, Clock, Logger, MessageNetwork, MessageStream } from '@naru/base'
import type { ReplicaKey } from '@naru/raft'
import type { QuorumSettings } from '../quorum-settings.ts'
import { nodeOf, replicaKey } from '../replica-key.ts'
import { Calls } from './calls.ts'
import type { CallOutcome, Frame, Hello, NodeAddress } from './frame.ts'
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
  /** Takes the streams of brokers that follow partitions of this one; without it they are refused. */
  readonly acceptReplication?: (stream: MessageStream) => void
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
  /** Where others say that nodes are. */
  readonly #hints = new Map<number, Address>()
  #advertised: Address

  constructor(options: QuorumLinksOptions) {
    this.#options = options
    const { clock, logger, network, settings, events, self, acceptReplication } = options
    this.#advertised = settings.advertised
    this.#peers = new Peers({
      ...(acceptReplication === undefined ? {} : { acceptReplication }),
      network,
      clock,
      logger,
      self: () => ({ ...self(), host: this.#advertised.host, port: this.#advertised.port }),
      addressOf: (id, attempt) => this.#addressOf(id, attempt),
    })
    this.calls = new Calls({
      clock,
      post: (id, frame) => this.post(id, frame),
      reply: (link, frame) => this.#peers.reply(link, frame),
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
      frame: (peer, frame, link) => {
        for (const { nodeId, ...address } of frame.addresses ?? []) this.hint(nodeId, address)
        this.calls.frame(peer, frame, link)
        events.frame(peer, frame)
      },
      down: (peer, end) => this.#down(peer, end),
      undelivered: (frame) => this.calls.undelivered(frame),
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

  /** Says something along with what is said to that node next. */
  enclose(nodeId: number, frame: Frame): void {
    this.#peers.enclose(nodeId, frame)
  }

  /** Somebody says that a node is there. */
  hint(nodeId: number, address: Address): void {
    this.#hints.set(nodeId, address)
  }

  /** Where a node is reached, for others that look for it. */
  addressesOf(nodeId: number): NodeAddress[] {
    const { nodeId: self } = this.#options
    const address = nodeId === self ? this.#advertised : this.#addressOf(nodeId)
    return address === undefined ? [] : [{ nodeId, host: address.host, port: address.port }]
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

  /** Whatever is known may be out of date: who is not reached at one address is looked for at the next. */
  #addressOf(nodeId: number, attempt = 0): Address | undefined {
    const { settings, registeredAddress } = this.#options
    const override = settings.peerAddresses.get(nodeId)
    if (override !== undefined) return override
    const candidates = [
      this.#known.get(nodeId),
      this.#hints.get(nodeId),
      registeredAddress(nodeId),
      settings.voters.get(nodeId),
    ].filter((address) => address !== undefined)
    return candidates[attempt % Math.max(1, candidates.length)]
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
