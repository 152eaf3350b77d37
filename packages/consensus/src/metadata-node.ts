/**
 * This node's part in keeping the metadata: its place in the quorum, its copy of the metadata, and the controller while this node
 * leads.
 */
import { type Address, randomId } from '@naru/base'
import type { MetadataRecord } from '@naru/metadata'
import type { RaftEvent } from '@naru/raft'
import { ActiveController } from './active-controller.ts'
import { internalAddressesIn, internalAddressOf } from './internal-addresses.ts'
import { LeaderOperations } from './leader-operations.ts'
import { MetadataCopy } from './metadata-copy.ts'
import type { MetadataNodeOptions } from './metadata-node-options.ts'
import type { CallOutcome, Frame, Hello, SessionHeartbeat, SessionState } from './peers/frame.ts'
import { QuorumMember } from './quorum-member.ts'
import type { RaftNode } from './raft-node.ts'
import { Timeline } from './timeline/timeline.ts'

export interface MetadataNodeEvents {
  /** There may be another controller. */
  leaderChanged(): void
  applied(records: readonly MetadataRecord[]): void
  /** From the controller. */
  session(state: SessionState): void
  /** What goes to the controller along with each sign of life. */
  beat(): Frame
}

export class MetadataNode implements AsyncDisposable {
  readonly copy: MetadataCopy
  /** Of this process. */
  readonly incarnationId: string
  readonly #timeline: Timeline | undefined
  readonly #options: MetadataNodeOptions
  readonly #events: MetadataNodeEvents
  readonly #operations: LeaderOperations
  #member: QuorumMember | undefined
  #controller: ActiveController | undefined

  private constructor(options: MetadataNodeOptions, events: MetadataNodeEvents) {
    this.#options = options
    this.#events = events
    this.incarnationId = randomId(options.random)
    this.#timeline = timelineOf(options, () => this.#member?.isVoter ?? false)
    this.copy = new MetadataCopy({
      clock: options.clock,
      recorder: this.#timeline,
      onEvents: options.onEvents,
      onApplied: (records) => {
        this.#controller?.changed(records)
        events.applied(records)
      },
      onFatal: options.onFatal,
    })
    this.#operations = new LeaderOperations({
      clock: options.clock,
      member: () => this.#member,
      controller: () => this.#controller,
    })
  }

  /** Resolves when the replica runs; who leads may not be known yet. */
  static async start(
    options: MetadataNodeOptions,
    events: MetadataNodeEvents,
  ): Promise<MetadataNode> {
    const node = new MetadataNode(options, events)
    node.#member = await QuorumMember.start({
      ...options,
      onStorage: (log) => node.#timeline?.open(log),
      incarnationId: node.incarnationId,
      stateMachine: node.copy,
      clusterId: () => node.copy.image.clusterId,
      addressesIn: internalAddressesIn,
      registeredAddress: (nodeId) => {
        const broker = node.copy.image.brokers.get(nodeId)
        return broker === undefined ? undefined : internalAddressOf(broker)
      },
      events: {
        raft: (event) => node.#noteRaft(event),
        call: (operation, payload) => node.#answerPeer(operation, payload),
        frame: (peer, frame) => node.#hear(peer, frame),
        hello: (peer) => node.#controller?.sessions?.hello(peer),
        down: (peer, end) => node.#controller?.sessions?.down(peer, end),
        besideHeartbeatReply: () => events.beat(),
      },
    })
    node.#noteLeader()
    return node
  }

  /** Node id of the controller, as far as this node knows. */
  get leader(): number | undefined {
    return this.#member?.leader
  }

  /** Undefined where none is kept: on a node that does not vote. */
  get timeline(): Timeline | undefined {
    return this.#member?.isVoter === true ? this.#timeline : undefined
  }

  /** Node ids. */
  get voterIds(): readonly number[] {
    return this.#running.voterIds
  }

  leadsMajority(withinMs: number): boolean {
    return this.#member?.node.leadsMajority(withinMs) ?? false
  }

  get appliedIndex(): bigint {
    return this.#member?.node.appliedIndex ?? 0n
  }

  /** Where the other brokers reach this one. */
  get internalAddress(): Address {
    return this.#running.links.advertised
  }

  /** Resolves when the entry at `index` is applied here. */
  applied(index: bigint): Promise<void> {
    return this.#running.node.applied(index)
  }

  /** Answers what only the leader can. */
  answer(operation: string, payload: Buffer): Promise<CallOutcome> {
    return this.#operations.answer(operation, payload)
  }

  /** What is not for the controller is for this broker. */
  async #answerPeer(operation: string, payload: Buffer): Promise<CallOutcome> {
    const answer = this.#options.answerBroker?.(operation, payload)
    if (answer === undefined) return this.answer(operation, payload)
    return { index: 0n, payload: await answer }
  }

  /** Has another node answer it. */
  call(
    nodeId: number,
    request: { operation: string; payload: Buffer; timeoutMs: number },
  ): Promise<CallOutcome> {
    return this.#running.links.calls.call(nodeId, request)
  }

  /** Says to the controller, wherever it is, that this broker lives. */
  tell(heartbeat: SessionHeartbeat): void {
    const { nodeId } = this.#options
    const { leader } = this
    if (leader === nodeId) this.#controller?.sessions?.heartbeat(nodeId, heartbeat)
    else if (leader !== undefined) this.#running.links.post(leader, { heartbeat })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#controller?.stop()
    await this.copy.followed().catch(() => {})
    await this.#member?.[Symbol.asyncDispose]()
    await this.#timeline?.close(this.appliedIndex)
  }

  get #running(): QuorumMember {
    return this.#member as QuorumMember
  }

  #noteRaft(event: RaftEvent): void {
    const { type, ...fields } = event
    this.#options.logger.info(`metadata-${type}`, fields)
    if (type === 'role') this.#noteLeader()
  }

  #noteLeader(): void {
    const node = this.#member?.node
    if (node === undefined) return
    if (node.isLeader) this.#controller ??= this.#newController(node)
    else {
      this.#controller?.stop()
      this.#controller = undefined
    }
    this.#events.leaderChanged()
  }

  #newController(node: RaftNode): ActiveController {
    const { nodeId, clock, controller: settings, features, firstRecords } = this.#options
    const { liveness: timing } = this.#options
    return new ActiveController({
      nodeId,
      incarnationId: this.incarnationId,
      node,
      image: this.copy.image,
      clock,
      settings,
      features,
      firstRecords,
      rebalanceMs: this.#options.rebalanceMs,
      logEnds: this.#options.logEnds,
      onReady: () => this.#events.leaderChanged(),
      sessions: {
        timing,
        post: (to, frame) => this.#running.links.post(to, frame),
        enclose: (to, frame) => this.#running.links.enclose(to, frame),
        probe: (id) => this.#running.links.greet(id),
        answerHere: (state) => this.#events.session(state),
      },
    })
  }

  #hear({ nodeId }: Hello, { heartbeat, session }: Frame): void {
    const sessions = this.#controller?.sessions
    if (heartbeat !== undefined && sessions !== undefined) {
      // Who wants to stop waits for all others to have seen it: the broker in this process has nobody else to tell, and nothing
      // but the words of others to ask again after.
      const { nodeId: self } = this.#options
      const { heartbeat: own } = this.#events.beat()
      if (own !== undefined && heartbeat.wantShutdown) sessions.heartbeat(self, own)
      sessions.heartbeat(nodeId, heartbeat)
      if (own?.wantShutdown === true) sessions.heartbeat(self, own)
    }
    if (session !== undefined) this.#events.session(session)
  }
}

function timelineOf(
  { timeline, clock, logger, onFatal }: MetadataNodeOptions,
  isVoter: () => boolean,
): Timeline | undefined {
  if (timeline === undefined) return undefined
  return new Timeline({ ...timeline, clock, logger, isVoter, onBug: onFatal })
}
