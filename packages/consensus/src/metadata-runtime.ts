/**
 * The cluster's metadata for the rest of the broker: a copy that follows the log, and the way to the controller for everything that
 * is to change. Commands are decided where the quorum's leader is and are answered here when this copy shows what they did.
 */
import type { Clock, Timer } from '@naru/base'
import {
  type Command,
  type CommandType,
  decodeResult,
  encodeCommand,
  isRepeatable,
  type MetadataImage,
  type Refusal,
  type ResponseOf,
  refusal,
  type SupportedFeature,
} from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import type { Refusal as RaftRefusal } from '@naru/raft'
import { BrokerMembership } from './broker-membership.ts'
import { ControllerChannel, type ControllerRequest } from './controller-channel.ts'
import { ConsensusError } from './errors.ts'
import type { Operation } from './leader-operations.ts'
import type { MetadataFollower } from './metadata-copy.ts'
import { MetadataNode } from './metadata-node.ts'
import type { MetadataNodeOptions } from './metadata-node-options.ts'
import { type QuorumChange, type QuorumView, quorumCodecs } from './quorum-operations.ts'

/** How long a command may take at most, elections included. */
const commandMs = 30_000
/** How long people wait for the quorum to say how it is, and a start for a controller before it says that it waits. */
const quorumMs = 5_000
/** How long a change of the quorum may take at most: a replica with a long way to go has to catch up before it votes. */
const changeMsMax = 300_000
/** Of the time for a change: until it is committed, and the answer is here. */
const commitMs = 2_000
const nothing = Buffer.alloc(0)

export class MetadataRuntime implements AsyncDisposable {
  /** What this program can read and write. */
  readonly features: readonly SupportedFeature[]
  /** This process as a broker of the cluster. */
  readonly membership: BrokerMembership
  readonly #node: MetadataNode
  readonly #answerBroker: (operation: string, payload: Buffer) => Promise<Buffer> | undefined
  readonly #clock: Clock
  readonly #nodeId: number
  readonly #channel: ControllerChannel

  private constructor(node: MetadataNode, options: MetadataNodeOptions) {
    const { nodeId, clock, features } = options
    this.features = features
    this.#node = node
    this.#answerBroker = (operation, payload) => options.answerBroker?.(operation, payload)
    this.#clock = clock
    this.#nodeId = nodeId
    this.#channel = new ControllerChannel({
      clock,
      nodeId,
      leader: () => node.leader,
      here: (operation, payload) => node.answer(operation, payload),
      there: (leader, request) => node.call(leader, request),
    })
    this.membership = new BrokerMembership({
      ...options,
      incarnationId: node.incarnationId,
      image: node.copy.image,
      metadataOffset: () => node.copy.followedIndex,
      submit: (command) => this.submit(command),
      controllerId: () => node.leader,
      leadsMajority: (withinMs) => node.leadsMajority(withinMs),
      sessionTimeoutMs: options.liveness.sessionTimeoutMs,
      tell: (heartbeat) => node.tell(heartbeat),
      onLost: options.onFatal,
    })
  }

  /** Resolves when this copy shows everything that was ever acknowledged; until there is a quorum it waits. */
  static async open(options: MetadataNodeOptions): Promise<MetadataRuntime> {
    const above: { runtime: MetadataRuntime | undefined } = { runtime: undefined }
    const node = await MetadataNode.start(options, {
      leaderChanged: () => above.runtime?.leaderChanged(),
      applied: (records) => above.runtime?.membership.applied(records),
      session: (state) => above.runtime?.membership.received(state),
      beat: () => above.runtime?.membership.beat() ?? {},
    })
    const runtime = new MetadataRuntime(node, options)
    above.runtime = runtime
    try {
      await runtime.#catchUp(options)
    } catch (error) {
      await runtime[Symbol.asyncDispose]()
      throw error
    }
    return runtime
  }

  get image(): MetadataImage {
    return this.#node.copy.image
  }

  /** Whether this copy shows this process as the broker of its id, and not one before it. */
  get isRegistered(): boolean {
    return this.image.brokers.get(this.#nodeId)?.incarnationId === this.incarnationId
  }

  /** Of this process. */
  get incarnationId(): string {
    return this.#node.incarnationId
  }

  /** Index of the last entry that is replayed. */
  get lastIndex(): bigint {
    return this.#node.appliedIndex
  }

  /** Node id of the controller, as far as this node knows. */
  get controllerId(): number | undefined {
    return this.#node.leader
  }

  /** What happened in the cluster; undefined where it is not kept, which is on nodes without a vote. */
  get timeline() {
    return this.#node.timeline
  }

  /** Node ids of those who vote in the quorum, as far as this node knows. */
  get voterIds(): readonly number[] {
    return this.#node.voterIds
  }

  /** Where the other brokers reach this one. */
  get internalAddress() {
    return this.#node.internalAddress
  }

  /** From now on answers to commands wait for `follower`. Resolves when it has taken over what there is. */
  follow(follower: MetadataFollower): Promise<void> {
    return this.#node.copy.follow(follower)
  }

  /**
   * Has the controller decide a command, and resolves when this copy shows it. Refused with REQUEST_TIMED_OUT when no controller
   * took it in time, or nobody knows what became of it; without trying when there is no time at all.
   */
  async submit<T extends CommandType>(
    command: Command & { readonly type: T },
    timeoutMs = commandMs,
  ): Promise<ResponseOf<T> | Refusal> {
    const { type } = command
    if (timeoutMs <= 0) return refusal(kafkaErrors.REQUEST_TIMED_OUT, 'No time was left for it')
    const deadlineMs = this.#clock.monotonic() + Math.min(timeoutMs, commandMs)
    try {
      const limits = { timeoutMs: Math.min(timeoutMs, commandMs), isRepeatable: isRepeatable(type) }
      const { index, payload } = await this.#ask('submit', encodeCommand(command), limits)
      await this.#shown(index, deadlineMs)
      return decodeResult<T>(type, payload)
    } catch (error) {
      if (!isUnanswered(error)) throw error
      return refusal(kafkaErrors.REQUEST_TIMED_OUT, error.message)
    }
  }

  /** What a broker answers, this one or another; undefined when it does not in time. */
  async askBroker(
    nodeId: number,
    request: { operation: string; payload: Buffer; timeoutMs: number },
  ): Promise<Buffer | undefined> {
    if (nodeId === this.#nodeId) return this.#answeredHere(request)
    const outcome = await this.#node.call(nodeId, request)
    return 'payload' in outcome ? outcome.payload : undefined
  }

  /** This broker may be slow too. */
  async #answeredHere(request: { operation: string; payload: Buffer; timeoutMs: number }) {
    const { operation, payload, timeoutMs } = request
    const { promise: late, resolve } = Promise.withResolvers<undefined>()
    const timer = this.#clock.setTimer(timeoutMs, () => resolve(undefined))
    try {
      return await Promise.race([this.#answerBroker(operation, payload), late])
    } finally {
      timer.cancel()
    }
  }

  /** The quorum as its leader sees it. Rejects like `changeQuorum`. */
  async quorum(): Promise<QuorumView> {
    const limits = { timeoutMs: quorumMs, isRepeatable: true }
    const { payload } = await this.#ask('quorumStatus', nothing, limits)
    return quorumCodecs.status.decode(payload)
  }

  /**
   * Adds or removes a voter, or hands the leadership over: why it is not done, or undefined when it is. Rejects with NOT_LEADER when
   * no controller answers in time, and with LEADERSHIP_LOST when nobody knows what became of it.
   */
  async changeQuorum(change: QuorumChange, timeoutMs = quorumMs): Promise<RaftRefusal | undefined> {
    const limits = { timeoutMs: Math.min(timeoutMs, changeMsMax), isRepeatable: false }
    const request = (leftMs: number) => {
      const patienceMs = Math.ceil(Math.max(leftMs - commitMs, leftMs / 2))
      return quorumCodecs.change.encode({ ...change, patienceMs })
    }
    const { payload } = await this.#ask('quorumChange', request, limits)
    const { refusal: refused } = quorumCodecs.answer.decode(payload)
    return refused === '' ? undefined : (refused as RaftRefusal)
  }

  /** There may be another controller, which has not heard of this broker yet. */
  leaderChanged(): void {
    this.#channel.leaderChanged()
    this.membership.hurry()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel.stop()
    this.membership.stop()
    await this.#node[Symbol.asyncDispose]()
  }

  /** Resolves when this copy shows the entry, and what follows it is in line; a broker that was cut off just then may never. */
  async #shown(index: bigint, deadlineMs: number): Promise<void> {
    let timer: Timer | undefined
    const late = new Promise<never>((_, reject) => {
      timer = this.#clock.setTimer(Math.max(0, deadlineMs - this.#clock.monotonic()), () =>
        reject(
          new ConsensusError(
            'LEADERSHIP_LOST',
            'It was done, and this broker does not show it yet',
          ),
        ),
      )
    })
    try {
      await Promise.race([this.#node.applied(index), late])
      await this.#node.copy.followed()
    } finally {
      timer?.cancel()
    }
  }

  #ask(
    operation: Operation,
    payload: ControllerRequest['payload'],
    limits: { readonly timeoutMs: number; readonly isRepeatable: boolean },
  ) {
    return this.#channel.ask({ operation, payload, ...limits })
  }

  /** The controller says how far everything acknowledged reaches; this copy follows to there. */
  async #catchUp({ logger }: MetadataNodeOptions): Promise<void> {
    for (;;) {
      try {
        const limits = { timeoutMs: quorumMs, isRepeatable: true }
        const { index } = await this.#ask('readIndex', nothing, limits)
        await this.#node.applied(index)
        return
      } catch (error) {
        if (!isUnanswered(error)) throw error
        logger.warn('metadata-waits-for-controller', { reason: error.message })
      }
    }
  }
}

function isUnanswered(error: unknown): error is ConsensusError {
  return error instanceof ConsensusError && error.code !== 'SNAPSHOT_LOST'
}
