/**
 * This node in the quorum: the replica of the metadata log, and its links to the other nodes. Whatever the log is for stands above:
 * this moves messages, finds the leader, and says who came, who is gone and who leads.
 */
import type { Address, Clock, Logger, MessageNetwork, Random } from '@naru/base'
import type { RaftEvent, Refusal, ReplicaKey } from '@naru/raft'
import { ConsensusError } from './errors.ts'
import { firstVoters, hasVoters, writeFirstVoters } from './first-quorum.ts'
import { Calls } from './peers/calls.ts'
import type { CallOutcome, Frame, Hello } from './peers/frame.ts'
import type { LinkEnd } from './peers/peer-link.ts'
import { Peers } from './peers/peers.ts'
import { ProcessWatch } from './peers/process-watch.ts'
import type { QuorumChange, QuorumView } from './quorum-operations.ts'
import { quorumView } from './quorum-view.ts'
import { RaftNode } from './raft-node.ts'
import { nodeOf, replicaKey } from './replica-key.ts'
import { SeedSearch } from './seed-search.ts'
import type { StateMachine } from './state-machine.ts'
import type { RaftStorage } from './storage/raft-storage.ts'

/** What the configuration says of the quorum. */
export interface QuorumSettings {
  /** `controller.quorum.voters`: who forms the first quorum. Empty: this node alone, unless it joins another. */
  readonly voters: ReadonlyMap<number, Address>
  /** `controller.quorum.bootstrap.servers`: where to look for a quorum that exists. */
  readonly bootstrapServers: readonly Address[]
  readonly electionTimeoutMs: number
  /** The internal listener; undefined for a quorum of one that talks to nobody. */
  readonly listen: Address | undefined
  /** Where others reach it; port 0 stands for the one that was bound. */
  readonly advertised: Address
  /** Nodes that are reached elsewhere than they say. */
  readonly peerAddresses: ReadonlyMap<number, Address>
}

export interface QuorumMemberOptions {
  readonly nodeId: number
  /** Id of the directory that holds the metadata. */
  readonly directoryId: string
  readonly incarnationId: string
  readonly settings: QuorumSettings
  /** Opens the storage; called again after the first entry was written beside it. */
  readonly openStorage: () => Promise<RaftStorage>
  readonly stateMachine: StateMachine
  readonly clusterId: () => string
  /** Where the metadata says that a node is. */
  readonly registeredAddress: (nodeId: number) => Address | undefined
  readonly network: MessageNetwork
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly events: QuorumEvents
  readonly onFatal: (error: unknown) => void
}

export interface QuorumEvents {
  raft(event: RaftEvent): void
  /** A request of another node. */
  call(operation: string, payload: Buffer, from: Hello): Promise<CallOutcome>
  frame(peer: Hello, frame: Frame): void
  /** A process has introduced itself, or its last link is gone. */
  hello(peer: Hello): void
  down(peer: Hello, end: LinkEnd): void
  /** What goes to the leader along with each sign of life. */
  besideHeartbeatReply(): Frame
}

const heartbeatMs = 150

export class QuorumMember implements AsyncDisposable {
  readonly #options: QuorumMemberOptions
  readonly #peers: Peers
  readonly calls: Calls
  readonly self: ReplicaKey
  readonly #contacts: ReplicaKey[] = []
  /** The last that each node said of itself. */
  readonly #known = new Map<number, Hello>()
  readonly #seeds: SeedSearch
  #advertised: Address
  /** The log had nothing at the start. */
  #isEmpty = true
  #leadsNoMore: () => void = () => {}
  #storage: RaftStorage | undefined
  #node: RaftNode | undefined

  private constructor(options: QuorumMemberOptions) {
    this.#options = options
    const { clock, logger, network, nodeId, directoryId, settings, events } = options
    this.self = replicaKey({ nodeId, directoryId })
    this.#advertised = settings.advertised
    this.#peers = new Peers({
      network,
      clock,
      logger,
      self: () => this.#hello(),
      addressOf: (id) => this.#addressOf(id),
    })
    this.calls = new Calls({
      clock,
      post: (id, frame) => this.post(id, frame),
      answer: (operation, payload, from) => events.call(operation, payload, from),
    })
    this.#seeds = new SeedSearch({
      clock,
      intervalMs: settings.electionTimeoutMs,
      seeds: seedsOf(settings, nodeId),
      isNeeded: () => this.leader === undefined,
      greet: (address) => this.#peers.greet(address),
    })
  }

  /** Resolves when the replica runs; who leads may not be known yet. */
  static async start(options: QuorumMemberOptions): Promise<QuorumMember> {
    const member = new QuorumMember(options)
    // Before anybody can ask whether there is something in it.
    const storage = await options.openStorage()
    member.#isEmpty = isEmptyLog(storage)
    member.#storage = storage
    await member.#listen()
    member.#storage = await member.#withVoters(storage)
    await member.#run(member.#storage)
    return member
  }

  get node(): RaftNode {
    return this.#node as RaftNode
  }

  /** Node id of the leader, as far as this node knows. */
  get leader(): number | undefined {
    const key = this.#node?.raft.leader
    return key === undefined ? undefined : nodeOf(key)
  }

  /** Where this node's internal listener is reached. */
  get advertised(): Address {
    return this.#advertised
  }

  post(nodeId: number, frame: Frame): void {
    this.#peers.post(nodeId, frame)
  }

  /** The quorum as this node, its leader, sees it. */
  view(): QuorumView {
    return quorumView(this.node, this.self, this.#options.clock)
  }

  /** Has the leader, this node, change the quorum; resolves when that is committed, or with why it is not done. */
  async change({ kind, nodeId, directoryId }: QuorumChange): Promise<Refusal | undefined> {
    const { raft } = this.node
    if (kind === 'transfer') {
      const target = raft.voters.find((key) => nodeOf(key) === nodeId)
      return target === undefined ? 'unknownVoter' : this.#handOver(target)
    }
    const key = replicaKey({ nodeId, directoryId })
    try {
      await this.node.changeVoters(kind === 'add' ? { add: key } : { remove: key }).applied
      return undefined
    } catch (error) {
      if (error instanceof ConsensusError && error.refusal !== undefined) return error.refusal
      throw error
    }
  }

  /** Who answers at a node's address now. Never rejects. */
  probe(nodeId: number): Promise<Hello | LinkEnd> {
    const address = this.#addressOf(nodeId)
    return address === undefined ? Promise.resolve('lost') : this.#peers.greet(address)
  }

  /** Leaves in order: a leader hands over first, so that nobody has to notice its silence. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#seeds.stop()
    this.calls.stop()
    const successor = this.#node === undefined ? undefined : successorOf(this.node.raft, this.self)
    if (successor !== undefined) await this.#handOver(successor)
    await this.#node?.[Symbol.asyncDispose]()
    await this.#peers[Symbol.asyncDispose]()
    await this.#storage?.[Symbol.asyncDispose]()
  }

  /** Resolves when this node leads no more. */
  async #handOver(target: ReplicaKey): Promise<Refusal | undefined> {
    if (target === this.self) return undefined
    const refusal = this.node.transferLeadership(target)
    if (refusal !== undefined) return refusal
    const { clock, settings } = this.#options
    await new Promise<void>((resolve) => {
      this.#leadsNoMore = resolve
      clock.setTimer(settings.electionTimeoutMs, resolve)
    })
    return this.node.isLeader ? 'lagging' : undefined
  }

  async #listen(): Promise<void> {
    const { settings, clock, events } = this.#options
    const watch = new ProcessWatch({
      clock,
      greet: (address) => this.#peers.greet(address),
      onGone: (process) => this.#node?.forget(replicaKey(process)),
    })
    this.#peers.handle({
      hello: (peer) => {
        this.#met(peer)
        events.hello(peer)
      },
      frame: (peer, frame, link) => {
        for (const message of frame.raft ?? []) this.#node?.receive(message)
        this.calls.frame(peer, frame, link)
        events.frame(peer, frame)
      },
      down: (peer, end) => {
        this.calls.down(peer)
        watch.down(peer, end)
        events.down(peer, end)
      },
    })
    if (settings.listen === undefined) return
    const { port } = await this.#peers.listen(settings.listen)
    const { advertised } = settings
    this.#advertised = { ...advertised, port: advertised.port === 0 ? port : advertised.port }
  }

  /** An empty log is given its first voters, if it is this node that founds the cluster. */
  async #withVoters(storage: RaftStorage): Promise<RaftStorage> {
    const { openStorage, settings, nodeId, clock, logger } = this.#options
    if (hasVoters(storage)) return storage
    const isOld = !this.#isEmpty
    const voters = isOld
      ? [this.self]
      : await firstVoters({
          nodeId,
          self: this.self,
          voters: settings.voters,
          isJoining: isJoining(settings, nodeId),
          greet: (address) => this.#peers.greet(address),
          clock,
          logger,
        })
    if (voters === undefined) return storage
    logger.info('quorum-founded', { voters })
    this.#isEmpty = false
    await writeFirstVoters(storage, this.self, voters)
    await storage[Symbol.asyncDispose]()
    return openStorage()
  }

  async #run(storage: RaftStorage): Promise<void> {
    const { settings, stateMachine, clock, random, events, onFatal } = this.#options
    this.#node = await RaftNode.start({
      self: this.self,
      storage,
      clock,
      random,
      stateMachine,
      transport: {
        send: (message) => {
          const isReply = message.type === 'heartbeatReply'
          const beside = isReply ? events.besideHeartbeatReply() : {}
          this.post(nodeOf(message.to), { raft: [message], ...beside })
        },
      },
      contacts: this.#contacts,
      electionBaseMs: settings.electionTimeoutMs,
      heartbeatMs,
      onEvent: (event) => {
        if (event.type === 'role') {
          this.#seeds.check()
          this.#leadsNoMore()
        }
        events.raft(event)
      },
      onFatal,
    })
    this.#seeds.check()
  }

  #hello(): Hello {
    const { nodeId, directoryId, incarnationId, clusterId } = this.#options
    const { host, port } = this.#advertised
    const isEmpty = this.#isEmpty && (this.#node?.raft.log.lastIndex ?? 0n) === 0n
    return { clusterId: clusterId(), nodeId, directoryId, incarnationId, isEmpty, host, port }
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

  #met(peer: Hello): void {
    this.#known.set(peer.nodeId, peer)
    const others = this.#contacts.filter((key) => nodeOf(key) !== peer.nodeId)
    this.#contacts.splice(0, this.#contacts.length, ...others, replicaKey(peer))
  }
}

/** Of the other voters the one that has most. */
function successorOf({ role, voters, progress }: RaftNode['raft'], self: ReplicaKey) {
  if (role !== 'leader') return undefined
  const matchOf = (key: ReplicaKey) => progress.get(key)?.matchIndex ?? 0n
  const others = voters.filter((key) => key !== self)
  return others.sort((a, b) => (matchOf(a) > matchOf(b) ? -1 : 1))[0]
}

function seedsOf({ voters, bootstrapServers }: QuorumSettings, nodeId: number): Address[] {
  const others = [...voters].filter(([id]) => id !== nodeId)
  return [...others.map(([, address]) => address), ...bootstrapServers]
}

function isEmptyLog({ stored }: RaftStorage): boolean {
  return stored.snapshot === undefined && stored.entries.length === 0
}

/** It is not among those who form the first quorum, and knows where to look for one. */
function isJoining({ voters, bootstrapServers }: QuorumSettings, nodeId: number): boolean {
  return !voters.has(nodeId) && voters.size + bootstrapServers.length > 0
}
