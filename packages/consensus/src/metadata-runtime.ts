/**
 * The cluster's metadata on this node: a copy that follows the Raft log, and the way to the controller for everything that is to
 * change. Commands are decided where the quorum's leader is and are answered here when this copy shows what they did.
 */
import type { Address, Clock, Logger, MessageNetwork, Random } from '@naru/base'
import {
  type Command,
  type CommandType,
  type ControllerSettings,
  decodeCommand,
  decodeMetadataRecords,
  decodeResult,
  emptyImage,
  encodeCommand,
  encodeMetadataRecords,
  encodeResult,
  imageRecords,
  isRepeatable,
  type LivenessTiming,
  type MetadataImage,
  type MetadataRecord,
  type Refusal,
  type RequestOf,
  type ResponseOf,
  refusal,
  replay,
  restoreImage,
  supportedFeatures,
  writtenLevel,
} from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import type { RaftEvent, Refusal as RaftRefusal } from '@naru/raft'
import { ActiveController } from './active-controller.ts'
import { BrokerSession } from './broker-session.ts'
import { ControllerChannel } from './controller-channel.ts'
import { ConsensusError } from './errors.ts'
import type { CallOutcome, Frame, Hello } from './peers/frame.ts'
import { QuorumMember, type QuorumSettings } from './quorum-member.ts'
import { type QuorumChange, type QuorumView, quorumCodecs } from './quorum-operations.ts'
import type { RaftNode } from './raft-node.ts'
import type { StateMachine } from './state-machine.ts'
import type { RaftStorage } from './storage/raft-storage.ts'

/** Brings something in line with the metadata: one call after the other, in the order of the log. */
export interface MetadataFollower {
  /** The metadata as it is when it begins. */
  adopt(): Promise<void>
  /** After a change. */
  follow(records: readonly MetadataRecord[]): Promise<void>
  /** After a snapshot has taken the place of everything. */
  followAll(): Promise<void>
}

/** What a broker tells of itself. */
export type BrokerRegistration = Pick<
  RequestOf<'registerBroker'>,
  'rack' | 'endpoints' | 'directories'
>

export interface MetadataRuntimeOptions {
  readonly nodeId: number
  /** Of the log directory that holds the metadata. */
  readonly directoryId: string
  readonly openStorage: () => Promise<RaftStorage>
  readonly quorum: QuorumSettings
  readonly controller: ControllerSettings
  readonly liveness: LivenessTiming
  /** What a new cluster begins with. */
  readonly firstRecords: () => readonly MetadataRecord[]
  readonly network: MessageNetwork
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** The disk of the metadata failed: the process must end. */
  readonly onFatal: (error: unknown) => void
}

/** How long a command may take, elections included. */
const commandMs = 30_000
/** Before a registration that was refused for now is tried again. */
const registrationRetryMs = 200
/** How long a broker that stops waits for others to take its leaderships. */
const leaveMs = 10_000
/** After this long without a controller there is nobody to ask. */
const leaderlessMs = 1_000
/** How long people wait for the quorum to say how it is. */
const quorumMs = 5_000

/** Between two words about a quorum that has no leader. */
const waitingMs = 5_000

export class MetadataRuntime implements AsyncDisposable, StateMachine {
  readonly image: MetadataImage = emptyImage()
  /** Of this process. */
  readonly incarnationId: string
  readonly #options: MetadataRuntimeOptions
  readonly #channel: ControllerChannel
  readonly #operations: Readonly<Record<string, (payload: Buffer) => Promise<CallOutcome>>>
  #member: QuorumMember | undefined
  #controller: ActiveController | undefined
  #session: BrokerSession | undefined
  #isUnfenced: () => void = () => {}
  #follower: MetadataFollower | undefined
  /** Up to where the follower has followed. */
  #followedIndex = 0n
  #following: Promise<void> = Promise.resolve()

  private constructor(options: MetadataRuntimeOptions) {
    const { clock, nodeId, random } = options
    this.#options = options
    this.incarnationId = random.bytes(16).toString('base64url')
    this.#operations = {
      submit: (payload) => this.#submitHere(decodeCommand(payload)),
      readIndex: () => this.#readIndex(),
      quorumStatus: () => this.#quorumStatusHere(),
      quorumChange: (payload) => this.#changeQuorumHere(payload),
    }
    this.#channel = new ControllerChannel({
      clock,
      nodeId,
      leader: () => this.#member?.leader,
      here: (operation, payload) => this.#answer(operation, payload),
      there: (leader, request) => this.#running.calls.call(leader, request),
    })
  }

  /** Resolves when this copy shows everything that was ever acknowledged; until there is a quorum it waits. */
  static async open(options: MetadataRuntimeOptions): Promise<MetadataRuntime> {
    const runtime = new MetadataRuntime(options)
    const { nodeId, quorum } = options
    runtime.#member = await QuorumMember.start({
      ...options,
      incarnationId: runtime.incarnationId,
      settings: quorum,
      stateMachine: runtime,
      clusterId: () => runtime.image.clusterId,
      registeredAddress: (id) => internalAddress(runtime.image, id),
      events: {
        raft: (event) => runtime.#noteRaft(event),
        call: (operation, payload) => runtime.#answer(operation, payload),
        frame: (peer, frame) => runtime.#hear(peer, frame),
        hello: (peer) => runtime.#controller?.sessions?.hello(peer),
        down: (peer, end) => runtime.#controller?.sessions?.down(peer, end),
        besideHeartbeatReply: () => runtime.#beat(),
      },
    })
    runtime.#noteLeader()
    try {
      await runtime.#catchUp()
    } catch (error) {
      await runtime[Symbol.asyncDispose]()
      throw error
    }
    options.logger.info('metadata-ready', { nodeId, index: String(runtime.lastIndex) })
    return runtime
  }

  /** Index of the last entry that is replayed. */
  get lastIndex(): bigint {
    return this.#member?.node.appliedIndex ?? 0n
  }

  /** Node id of the controller, as far as this node knows. */
  get controllerId(): number | undefined {
    return this.#member?.leader
  }

  /** Of this broker's registration; undefined while there is none. */
  get brokerEpoch(): bigint | undefined {
    const { brokerEpoch = -1n } = this.#session ?? {}
    return brokerEpoch < 0n ? undefined : brokerEpoch
  }

  /** Where the other brokers reach this one. */
  get internalAddress(): Address {
    return this.#running.advertised
  }

  /** From now on answers to commands wait for `follower`. Resolves when it has taken over what there is. */
  async follow(follower: MetadataFollower): Promise<void> {
    this.#follower = follower
    const index = this.lastIndex
    const following = this.#inTurn(async () => {
      await follower.adopt()
      this.#followedIndex = index
    })
    await following
  }

  /**
   * Has the controller decide a command, and resolves when this copy shows it. Refused with REQUEST_TIMED_OUT when no controller
   * took it in time, or nobody knows what became of it.
   */
  async submit<T extends CommandType>(
    command: Command & { readonly type: T },
  ): Promise<ResponseOf<T> | Refusal> {
    const { type } = command
    try {
      const { index, payload } = await this.#channel.ask({
        operation: 'submit',
        payload: encodeCommand(command),
        timeoutMs: commandMs,
        isRepeatable: isRepeatable(type),
      })
      await this.#running.node.applied(index)
      await this.#following
      return decodeResult<T>(type, payload)
    } catch (error) {
      if (!isNoController(error)) throw error
      return refusal(kafkaErrors.REQUEST_TIMED_OUT, error.message)
    }
  }

  /**
   * Makes this process the broker of its id; it is fenced until it takes part. `onRegistered` keeps the registration on the disks.
   * Rejects with SessionError when the controller does not take it.
   */
  async register(
    registration: BrokerRegistration,
    onRegistered: (brokerEpoch: bigint) => Promise<void>,
  ): Promise<void> {
    const { nodeId, directoryId, clock, logger, onFatal } = this.#options
    const { incarnationId } = this
    const own = { nodeId, incarnationId, metadataDirectory: directoryId }
    this.#session = new BrokerSession({
      logger,
      metadataOffset: () => this.#followedIndex,
      register: () => {
        const { clusterId } = this.image
        const command = { type: 'registerBroker', ...own, clusterId, ...registration } as const
        return this.submit({ ...command, features: supportedFeatures, isPreviousSilent: false })
      },
      onRegistered,
      hurry: () => this.#hurry(),
      pause: () => new Promise((resolve) => clock.setTimer(registrationRetryMs, resolve)),
      onLost: onFatal,
    })
    await this.#session.register()
  }

  /** Leads and follows partitions from now on; resolves when the controller counts on it. */
  async takePart(): Promise<void> {
    if (!this.#isActive) {
      const unfenced = new Promise<void>((resolve) => {
        this.#isUnfenced = resolve
      })
      this.#session?.takePart()
      await unfenced
    }
  }

  /** Log directories failed: the controller moves what they hold. */
  directoriesFailed(directories: readonly string[]): void {
    this.#session?.directoriesFailed(directories)
  }

  /** Gives up leaderships before the stop, as far as there is a controller and others can take them. */
  async leave(): Promise<void> {
    if (this.#session === undefined) return
    const { clock } = this.#options
    const deadlineMs = clock.monotonic() + leaveMs
    await new Promise<void>((resolve) => {
      void this.#session?.shutDown().then(resolve)
      const look = () => {
        const isHopeless = this.controllerId === undefined || clock.monotonic() >= deadlineMs
        if (isHopeless) resolve()
        else clock.setTimer(leaderlessMs, look)
      }
      clock.setTimer(leaderlessMs, look)
    })
  }

  /** The quorum as its leader sees it. Rejects like `changeQuorum`. */
  async quorum(): Promise<QuorumView> {
    const { payload } = await this.#askQuorum('quorumStatus', Buffer.alloc(0), true)
    return quorumCodecs.status.decode(payload)
  }

  /**
   * Adds or removes a voter, or hands the leadership over: why it is not done, or undefined when it is. Rejects with NOT_LEADER when
   * no controller answers, and with LEADERSHIP_LOST when nobody knows what became of it.
   */
  async changeQuorum(change: QuorumChange): Promise<RaftRefusal | undefined> {
    const request = quorumCodecs.change.encode(change)
    const { payload } = await this.#askQuorum('quorumChange', request, false)
    const { refusal: refused } = quorumCodecs.answer.decode(payload)
    return refused === '' ? undefined : (refused as RaftRefusal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel.stop()
    this.#controller?.stop()
    await this.#following.catch(() => {})
    await this.#member?.[Symbol.asyncDispose]()
  }

  apply(payload: Buffer, index: bigint): void {
    const records = decodeMetadataRecords(payload)
    for (const record of records) replay(this.image, record)
    const follower = this.#follower
    if (follower === undefined) this.#followedIndex = index
    else {
      void this.#inTurn(async () => {
        await follower.follow(records)
        this.#followedIndex = index
      })
    }
    this.#controller?.sessions?.changed(records)
    this.#noteOwnState(records)
  }

  snapshot(): Buffer {
    return encodeMetadataRecords(imageRecords(this.image), writtenLevel(this.image, []))
  }

  restore(state: Buffer): void {
    restoreImage(this.image, decodeMetadataRecords(state))
    const follower = this.#follower
    if (follower !== undefined) void this.#inTurn(() => follower.followAll())
  }

  get #isActive(): boolean {
    const broker = this.image.brokers.get(this.#options.nodeId)
    return broker?.brokerEpoch === this.#session?.brokerEpoch && broker?.isFenced === false
  }

  get #running(): QuorumMember {
    return this.#member as QuorumMember
  }

  /** The controller says how far everything acknowledged reaches; this copy follows to there. */
  async #catchUp(): Promise<void> {
    for (;;) {
      try {
        const payload = Buffer.alloc(0)
        const request = { operation: 'readIndex', payload, timeoutMs: waitingMs }
        const { index } = await this.#channel.ask({ ...request, isRepeatable: true })
        await this.#running.node.applied(index)
        return
      } catch (error) {
        if (!isNoController(error)) throw error
        this.#options.logger.warn('metadata-waits-for-controller', { reason: error.message })
      }
    }
  }

  async #answer(operation: string, payload: Buffer): Promise<CallOutcome> {
    const operate = this.#operations[operation]
    if (operate === undefined) return { index: 0n, failure: 'REFUSED' }
    try {
      return await operate(payload)
    } catch (error) {
      if (!(error instanceof ConsensusError)) throw error
      const isBefore = error.code === 'NOT_LEADER' || error.code === 'REFUSED'
      return { index: 0n, failure: isBefore ? 'NOT_LEADER' : 'LEADERSHIP_LOST' }
    }
  }

  async #submitHere(command: Command): Promise<CallOutcome> {
    const controller = this.#controller
    if (controller === undefined) return { index: 0n, failure: 'NOT_LEADER' }
    const { index, result } = await controller.submit(command)
    return { index, payload: encodeResult(command.type, result) }
  }

  async #readIndex(): Promise<CallOutcome> {
    const index = await this.#controller?.readIndex()
    if (index === undefined) return { index: 0n, failure: 'NOT_LEADER' }
    return { index, payload: Buffer.alloc(0) }
  }

  #askQuorum(operation: string, payload: Buffer, isRepeatable: boolean) {
    return this.#channel.ask({ operation, payload, timeoutMs: quorumMs, isRepeatable })
  }

  async #quorumStatusHere(): Promise<CallOutcome> {
    // Who was cut off and does not know it would tell of a quorum that is no more.
    const index = await this.#running.node.readBarrier()
    return { index, payload: quorumCodecs.status.encode(this.#running.view()) }
  }

  async #changeQuorumHere(payload: Buffer): Promise<CallOutcome> {
    const change = quorumCodecs.change.decode(payload) as QuorumChange
    const refused = await this.#running.change(change)
    if (refused === 'notLeader') return { index: 0n, failure: 'NOT_LEADER' }
    return { index: 0n, payload: quorumCodecs.answer.encode({ refusal: refused ?? '' }) }
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
    this.#channel.leaderChanged()
    // A new controller has not heard of this broker yet.
    if (this.controllerId !== undefined) this.#hurry()
  }

  #newController(node: RaftNode): ActiveController {
    const { nodeId, clock, controller: settings, firstRecords, liveness: timing } = this.#options
    return new ActiveController({
      nodeId,
      node,
      image: this.image,
      clock,
      settings,
      firstRecords,
      sessions: {
        timing,
        post: (to, frame) => this.#running.post(to, frame),
        probe: (id) => this.#running.probe(id),
        answerHere: (state) => this.#session?.received(state),
      },
    })
  }

  #hear({ nodeId }: Hello, { heartbeat, session }: Frame): void {
    if (heartbeat !== undefined) this.#controller?.sessions?.heartbeat(nodeId, heartbeat)
    if (session !== undefined) this.#session?.received(session)
  }

  #beat(): Frame {
    const heartbeat = this.#session?.beat()
    return heartbeat === undefined ? {} : { heartbeat }
  }

  /** Tells the controller at once how this broker is. */
  #hurry(): void {
    const { nodeId, clock } = this.#options
    clock.afterTurn(() => {
      const { heartbeat } = this.#beat()
      const to = this.controllerId
      if (heartbeat === undefined || to === undefined) return
      if (to !== nodeId) this.#running.post(to, { heartbeat })
      else this.#controller?.sessions?.heartbeat(nodeId, heartbeat)
    })
  }

  #noteOwnState(records: readonly MetadataRecord[]): void {
    const { nodeId } = this.#options
    const isOwn = records.some(
      (record) => record.type === 'brokerState' && record.nodeId === nodeId,
    )
    if (!isOwn) return
    if (this.#isActive) this.#isUnfenced()
    this.#hurry()
  }

  /** What the follower cannot do it has to deal with itself: an error here is a bug. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#following = this.#following.then(work)
    this.#following.catch(this.#options.onFatal)
    return this.#following
  }
}

function isNoController(error: unknown): error is ConsensusError {
  return error instanceof ConsensusError && error.code !== 'SNAPSHOT_LOST'
}

function internalAddress(image: MetadataImage, nodeId: number) {
  const endpoints = image.brokers.get(nodeId)?.endpoints ?? []
  return endpoints.find(({ listener }) => listener === internalListener)
}

/** Name under which a broker registers where other brokers reach it. */
export const internalListener = 'NARU-INTERNAL'
