/**
 * The controller while this node leads the quorum. It decides on a copy of the metadata that is ahead of what is committed, so that
 * commands need not wait for each other, and answers once the records are applied. A new leader starts with a fresh copy; what the
 * old one had decided and not committed is gone with it.
 */
import type { Clock } from '@naru/base'
import {
  type Command,
  type ControllerSettings,
  cloneImage,
  type Decision,
  decide,
  encodeMetadataRecords,
  isActive,
  type LogEnds,
  type MetadataImage,
  type MetadataRecord,
  replay,
  type SupportedFeature,
  writtenLevel,
} from '@naru/metadata'
import { ControllerSessions, type SessionPorts } from './controller-sessions.ts'
import { ConsensusError } from './errors.ts'
import { LeaderRebalance } from './leader-rebalance.ts'
import type { Proposed, RaftNode } from './raft-node.ts'
import { UncleanElections } from './unclean-elections.ts'

export interface ActiveControllerOptions {
  readonly nodeId: number
  /** Of this process. */
  readonly incarnationId: string
  readonly node: Pick<RaftNode, 'propose' | 'nextIndex' | 'readBarrier'>
  /** What is applied here. */
  readonly image: MetadataImage
  readonly clock: Clock
  readonly settings: ControllerSettings
  readonly features: readonly SupportedFeature[]
  readonly sessions: SessionPorts
  /** How often leaderships are given back to the replicas that come first; undefined for never. */
  readonly rebalanceMs: number | undefined
  /** Asks replicas how far they go; undefined where nobody can, and nobody is elected that may lack records but by command. */
  readonly logEnds: LogEnds | undefined
  /** What a cluster begins with, when it has nothing yet. */
  readonly firstRecords: () => readonly MetadataRecord[]
  /** It knows what is committed, and takes heartbeats. */
  readonly onReady: () => void
}

interface Outcome {
  /** Undefined when nothing changes. */
  readonly proposed: Proposed | undefined
  readonly result: object
}

export class ActiveController {
  readonly #options: ActiveControllerOptions
  /** Rejects with NOT_LEADER when this node leads no more before it knows what is committed. */
  readonly #ready: Promise<MetadataImage>
  #sessions: ControllerSessions | undefined
  #rebalance: LeaderRebalance | undefined
  #elections: UncleanElections | undefined
  #last: Proposed | undefined
  /** Settled when the decision that takes several turns is through. */
  #inParts: Promise<void> | undefined
  #isStopped = false

  constructor(options: ActiveControllerOptions) {
    this.#options = options
    this.#ready = this.#begin()
    this.#ready.catch(() => {})
  }

  /** Once this controller knows what is committed. */
  get sessions(): ControllerSessions | undefined {
    return this.#sessions
  }

  /**
   * Decides and answers when the decision is committed, with the index that shows it. What changes nothing is answered when the
   * state that it was decided on is committed and this node is known to lead still. Rejects as `RaftNode.propose` does.
   */
  async submit(command: Command): Promise<{ index: bigint; result: object }> {
    const image = await this.#ready
    const { node } = this.#options
    const { proposed, result } = await this.#decide(image, command)
    if (proposed !== undefined) {
      const { index, applied } = proposed
      await applied
      return { index, result }
    }
    await this.#last?.applied
    return { index: await node.readBarrier(), result }
  }

  /** Resolves with the index up to which everything is committed that was acknowledged before the call. */
  async readIndex(): Promise<bigint> {
    await this.#ready
    return this.#options.node.readBarrier()
  }

  /** After a change of the metadata. */
  changed(records: readonly MetadataRecord[]): void {
    this.#sessions?.changed(records)
    this.#elections?.changed(records)
  }

  stop(): void {
    this.#isStopped = true
    this.#sessions?.stop()
    this.#rebalance?.stop()
    this.#elections?.stop()
  }

  async #begin(): Promise<MetadataImage> {
    const { node, image: committed, firstRecords } = this.#options
    await node.readBarrier()
    const image = cloneImage(committed)
    if (image.clusterId === '') await this.#propose(image, firstRecords()).applied
    await this.#finishElections(image)
    if (!this.#isStopped) {
      this.#startDuties()
      this.#options.onReady()
    }
    return image
  }

  /** What a controller does without being asked. */
  #startDuties(): void {
    const { nodeId, image, clock, settings, sessions, rebalanceMs, logEnds } = this.#options
    const shared = { clock, image, submit: (command: Command) => this.submit(command) }
    this.#sessions = new ControllerSessions({ ...sessions, ...shared, nodeId })
    if (rebalanceMs !== undefined) {
      this.#rebalance = new LeaderRebalance({ ...shared, intervalMs: rebalanceMs })
    }
    if (logEnds !== undefined) {
      this.#elections = new UncleanElections({ ...shared, settings, logEnds })
    }
  }

  /** The controller before this one may have let brokers take part, and gone before all that they could lead had a leader. */
  async #finishElections(image: MetadataImage): Promise<void> {
    for (const broker of [...image.brokers.values()].filter(isActive)) {
      const { nodeId, brokerEpoch } = broker
      await this.#decide(image, { type: 'unfenceBroker', nodeId, brokerEpoch })
    }
  }

  /** Decides in one turn, or in several where it changes so much that others would have to wait too long: they get a word in between. */
  async #decide(image: MetadataImage, command: Command): Promise<Outcome> {
    let decision = this.#decision(image, command)
    // One at a time: two brokers that go would hand what they share to each other, over and over.
    while (decision.isPart === true && this.#inParts !== undefined) {
      await this.#inParts
      this.#mustLead()
      decision = this.#decision(image, command)
    }
    if (decision.isPart !== true) return this.#outcome(image, decision)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#inParts = promise
    try {
      while (decision.isPart === true) {
        this.#propose(image, decision.records)
        await new Promise<void>((next) => this.#options.clock.afterTurn(next))
        this.#mustLead()
        decision = this.#decision(image, command)
      }
      return this.#outcome(image, decision)
    } finally {
      this.#inParts = undefined
      resolve()
    }
  }

  #decision(image: MetadataImage, command: Command): Decision<object> {
    const { node, clock, settings, features } = this.#options
    const context = { index: node.nextIndex, nowMs: clock.now(), settings, features }
    return decide(image, this.#completed(command), context)
  }

  #outcome(image: MetadataImage, { records, response }: Decision<object>): Outcome {
    const proposed = records.length > 0 ? this.#propose(image, records) : undefined
    return { proposed, result: response }
  }

  /** What the next controller has decided meanwhile is not in this one's image. */
  #mustLead(): void {
    if (this.#isStopped) throw new ConsensusError('NOT_LEADER', 'This node leads no more')
  }

  /** What only the controller knows of a request. */
  #completed(command: Command): Command {
    if (command.type !== 'registerBroker') return command
    const { nodeId, incarnationId } = command
    // The process that was the broker here before this one has left the lock to it.
    const isOwn = incarnationId === this.#options.incarnationId
    return { ...command, isPreviousSilent: isOwn || (this.#sessions?.isSilent(nodeId) ?? true) }
  }

  #propose(image: MetadataImage, records: readonly MetadataRecord[]): Proposed {
    const level = writtenLevel(image, records)
    const proposed = this.#options.node.propose(encodeMetadataRecords(records, level))
    for (const record of records) replay(image, record)
    this.#last = proposed
    // Whoever waits for it hears of it; nobody has to.
    proposed.applied.catch(() => {})
    return proposed
  }
}
