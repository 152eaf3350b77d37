/**
 * This node in the quorum: the replica of the metadata log, with the links that it speaks over. Whatever the log is for stands above.
 */
import type { Address, Clock, Logger, MessageNetwork, MessageStream, Random } from '@naru/base'
import type { Entry, Message, RaftEvent, Refusal, ReplicaKey } from '@naru/raft'
import { ConsensusError } from './errors.ts'
import { foundedStorage, isEmptyLog } from './first-quorum.ts'
import type { Frame, Hello, NodeAddress } from './peers/frame.ts'
import { type LinksEvents, QuorumLinks } from './peers/quorum-links.ts'
import type { AskedChange } from './quorum-operations.ts'
import type { QuorumSettings } from './quorum-settings.ts'
import { type LogLimits, RaftNode } from './raft-node.ts'
import { diskOf, nodeOf, replicaKey } from './replica-key.ts'
import type { StateMachine } from './state-machine.ts'
import type { RaftStorage } from './storage/raft-storage.ts'

export interface QuorumMemberOptions {
  readonly nodeId: number
  /** Id of the directory that holds the metadata. */
  readonly directoryId: string
  readonly incarnationId: string
  readonly quorum: QuorumSettings
  readonly logLimits?: LogLimits
  /** Opens the storage; called again after the first entry was written beside it. */
  readonly openStorage: () => Promise<RaftStorage>
  /** Is told what was found before anything is applied. */
  readonly onStorage: (log: { readonly isEmpty: boolean }) => Promise<void> | undefined
  readonly stateMachine: StateMachine
  readonly clusterId: () => string
  /** Where entries that are not applied yet say that nodes are: enough to look for them, whatever becomes of the entries. */
  readonly addressesIn: (entries: readonly Entry[]) => Iterable<NodeAddress>
  /** Where the metadata says that a node is. */
  readonly registeredAddress: (nodeId: number) => Address | undefined
  readonly network: MessageNetwork
  /** Takes the streams of brokers that follow partitions of this one; without it they are refused. */
  readonly acceptReplication?: (stream: MessageStream) => void
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly events: QuorumEvents
  readonly onFatal: (error: unknown) => void
}

export interface QuorumEvents extends Omit<LinksEvents, 'gone'> {
  raft(event: RaftEvent): void
  /** What goes to the leader along with each sign of life. */
  besideHeartbeatReply(): Frame
}

const heartbeatMsMax = 150
const changeRetryMs = 50
const passing: ReadonlySet<Refusal> = new Set(['lagging', 'changeInProgress', 'notReady', 'busy'])

export class QuorumMember implements AsyncDisposable {
  readonly self: ReplicaKey
  readonly links: QuorumLinks
  readonly #options: QuorumMemberOptions
  /** The log had nothing at the start. */
  #isEmpty = true
  #leadsNoMore: () => void = () => {}
  #storage: RaftStorage | undefined
  #node: RaftNode | undefined

  private constructor(options: QuorumMemberOptions) {
    this.#options = options
    const { events } = options
    this.self = replicaKey(options)
    this.links = new QuorumLinks({
      ...options,
      settings: options.quorum,
      self: () => this.#hello(),
      hasLeader: () => this.leader !== undefined,
      events: {
        call: (operation, payload, from) => events.call(operation, payload, from),
        frame: (peer, frame) => {
          for (const message of frame.raft ?? []) this.#node?.receive(message)
          events.frame(peer, frame)
        },
        hello: (peer) => events.hello(peer),
        down: (peer, end) => events.down(peer, end),
        gone: (peer) => this.#node?.forget(replicaKey(peer)),
      },
    })
  }

  /** Resolves when the replica runs; who leads may not be known yet. */
  static async start(options: QuorumMemberOptions): Promise<QuorumMember> {
    const member = new QuorumMember(options)
    // Before anybody can ask whether there is something in it.
    const storage = await options.openStorage()
    member.#storage = storage
    member.#isEmpty = isEmptyLog(storage)
    await options.onStorage({ isEmpty: member.#isEmpty })
    member.#hintAddresses(storage)
    await member.links.listen()
    member.#storage = await foundedStorage(storage, {
      ...options,
      self: member.self,
      greet: (nodeId) => member.links.greet(nodeId),
      onFounding: () => {
        member.#isEmpty = false
      },
    })
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

  get isVoter(): boolean {
    return this.#node?.raft.voters.includes(this.self) ?? false
  }

  /** Node ids. */
  get voterIds(): readonly number[] {
    return this.node.raft.voters.map(nodeOf)
  }

  /** Has the leader, this node, change the quorum; resolves when that is committed, or with why it is not done. */
  async change({
    kind,
    nodeId,
    directoryId,
    patienceMs,
  }: AskedChange): Promise<Refusal | undefined> {
    if (kind === 'transfer') {
      const target = this.node.raft.voters.find((key) => nodeOf(key) === nodeId)
      return target === undefined ? 'unknownVoter' : this.#handOver(target)
    }
    const key = replicaKey({ nodeId, directoryId })
    const change = kind === 'add' ? { add: key } : { remove: key }
    const { clock } = this.#options
    const deadlineMs = clock.monotonic() + patienceMs
    for (;;) {
      const refusal = await this.#changeVoters(change)
      const isOver = refusal === undefined || !passing.has(refusal)
      if (isOver || clock.monotonic() >= deadlineMs) return refusal
      await new Promise<void>((resolve) => clock.setTimer(changeRetryMs, resolve))
    }
  }

  /** Leaves in order: a leader hands over first, so that nobody has to notice its silence. */
  async [Symbol.asyncDispose](): Promise<void> {
    const successor = this.#node === undefined ? undefined : successorOf(this.node.raft, this.self)
    if (successor !== undefined) await this.#handOver(successor)
    await this.#node?.[Symbol.asyncDispose]()
    await this.links[Symbol.asyncDispose]()
    await this.#storage?.[Symbol.asyncDispose]()
  }

  async #changeVoters(change: { add: ReplicaKey } | { remove: ReplicaKey }) {
    try {
      await this.node.changeVoters(change).applied
      return undefined
    } catch (error) {
      if (error instanceof ConsensusError && error.refusal !== undefined) return error.refusal
      throw error
    }
  }

  /** Resolves when this node leads no more, or when the target had its time. */
  async #handOver(target: ReplicaKey): Promise<Refusal | undefined> {
    if (target === this.self) return undefined
    const refusal = this.node.transferLeadership(target)
    if (refusal !== undefined) return refusal
    const { clock, quorum } = this.#options
    await new Promise<void>((resolve) => {
      this.#leadsNoMore = resolve
      clock.setTimer(quorum.electionTimeoutMs, resolve)
    })
    return this.node.isLeader ? 'lagging' : undefined
  }

  /** Of voters that the configuration does not name: a log of many entries takes long to read through. */
  #hintAddresses({ stored }: RaftStorage): void {
    const { nodeId: self, quorum, addressesIn } = this.#options
    const others = votersOf(stored)
      .map(nodeOf)
      .filter((nodeId) => nodeId !== self)
    if (others.every((nodeId) => quorum.voters.has(nodeId))) return
    for (const { nodeId, ...address } of addressesIn(stored.entries)) {
      this.links.hint(nodeId, address)
    }
  }

  async #run(storage: RaftStorage): Promise<void> {
    const { quorum, logLimits, stateMachine, clock, random, events, onFatal } = this.#options
    const { electionTimeoutMs } = quorum
    this.#node = await RaftNode.start({
      ...logLimits,
      self: this.self,
      storage,
      clock,
      random,
      stateMachine,
      transport: {
        send: (message) => {
          const frame = { raft: [message], ...this.#beside(message) }
          this.links.post(nodeOf(message.to), frame, diskOf(message.to))
        },
      },
      contacts: this.links.contacts,
      electionBaseMs: electionTimeoutMs,
      heartbeatMs: Math.min(heartbeatMsMax, electionTimeoutMs / 4),
      onEvent: (event) => {
        if (event.type === 'role') {
          this.links.search()
          this.#leadsNoMore()
        }
        events.raft(event)
      },
      onFatal,
    })
    this.links.search()
  }

  /** What goes along with a message: a sign of life to the controller, and the address of a leader that is named. */
  #beside(message: Message): Frame {
    if (message.type === 'heartbeatReply') return this.#options.events.besideHeartbeatReply()
    if (message.type !== 'redirect') return {}
    return { addresses: this.links.addressesOf(nodeOf(message.leader)) }
  }

  #hello(): Omit<Hello, 'host' | 'port'> {
    const { nodeId, directoryId, incarnationId, clusterId } = this.#options
    const isEmpty = this.#isEmpty && (this.#node?.raft.log.lastIndex ?? 0n) === 0n
    return { clusterId: clusterId(), nodeId, directoryId, incarnationId, isEmpty }
  }
}

/** Who votes as far as the log on the disk says. */
function votersOf({ entries, snapshot }: RaftStorage['stored']): readonly ReplicaKey[] {
  const last = entries.findLast(({ kind }) => kind === 'voters')
  return last?.kind === 'voters' ? last.voters : (snapshot?.voters ?? [])
}

/** Of the other voters the one that has most. */
function successorOf({ role, voters, progress }: RaftNode['raft'], self: ReplicaKey) {
  if (role !== 'leader') return undefined
  const matchOf = (key: ReplicaKey) => progress.get(key)?.matchIndex ?? 0n
  const others = voters.filter((key) => key !== self)
  return others.sort((a, b) => (matchOf(a) > matchOf(b) ? -1 : 1))[0]
}
