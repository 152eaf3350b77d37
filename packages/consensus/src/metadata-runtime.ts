/**
 * The cluster's metadata on this node: a copy that follows the Raft log, and the way to the controller for everything that is to
 * change. Commands are decided where the quorum's leader is and are answered here when this copy shows what they did.
 */
import type { Clock, Logger, MessageNetwork, Random } from '@naru/base'
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
  type MetadataImage,
  type MetadataRecord,
  type Refusal,
  type ResponseOf,
  refusal,
  replay,
  restoreImage,
} from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import type { RaftEvent, Refusal as RaftRefusal } from '@naru/raft'
import { ActiveController } from './active-controller.ts'
import { ControllerChannel } from './controller-channel.ts'
import { ConsensusError } from './errors.ts'
import type { CallOutcome } from './peers/frame.ts'
import { type QuorumChange, type QuorumView, quorumCodecs } from './quorum-operations.ts'
import { QuorumMember, type QuorumSettings } from './quorum-member.ts'
import type { StateMachine } from './state-machine.ts'
import type { RaftStorage } from './storage/raft-storage.ts'

export type MetadataListener = (records: readonly MetadataRecord[]) => Promise<void>

export interface MetadataRuntimeOptions {
  readonly nodeId: number
  /** Of the log directory that holds the metadata. */
  readonly directoryId: string
  readonly openStorage: () => Promise<RaftStorage>
  readonly quorum: QuorumSettings
  readonly controller: ControllerSettings
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
  readonly #listeners: MetadataListener[] = []
  readonly #operations: Readonly<Record<string, (payload: Buffer) => Promise<CallOutcome>>>
  #member: QuorumMember | undefined
  #controller: ActiveController | undefined
  /** Listeners see one change after the other, in the order of the log. */
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
        frame() {},
        hello() {},
        down() {},
        besideHeartbeatReply: () => ({}),
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

  /** `listener` is called after each change, and the answer to the command waits for it. */
  onChange(listener: MetadataListener): void {
    this.#listeners.push(listener)
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
      await this.#followed()
      return decodeResult<T>(type, payload)
    } catch (error) {
      if (!isNoController(error)) throw error
      return refusal(kafkaErrors.REQUEST_TIMED_OUT, error.message)
    }
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
    await this.#following.catch(() => {})
    await this.#member?.[Symbol.asyncDispose]()
  }

  apply(payload: Buffer): void {
    const records = decodeMetadataRecords(payload)
    for (const record of records) replay(this.image, record)
    if (this.#listeners.length === 0) return
    this.#following = this.#following.then(async () => {
      for (const listener of this.#listeners) await listener(records)
    })
    this.#following.catch(() => {})
  }

  snapshot(): Buffer {
    return encodeMetadataRecords(imageRecords(this.image))
  }

  restore(state: Buffer): void {
    restoreImage(this.image, decodeMetadataRecords(state))
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
    const index = await this.#running.node.readBarrier()
    return { index, payload: Buffer.alloc(0) }
  }

  #askQuorum(operation: string, payload: Buffer, isRepeatable: boolean) {
    return this.#channel.ask({ operation, payload, timeoutMs: quorumMs, isRepeatable })
  }

  async #quorumStatusHere(): Promise<CallOutcome> {
    // Who was cut off and does not know it would tell of a quorum that is no more.
    const { index } = await this.#readIndex()
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
    const { clock, controller: settings, firstRecords } = this.#options
    if (!node.isLeader) this.#controller = undefined
    else {
      this.#controller ??= new ActiveController({
        node,
        image: this.image,
        clock,
        settings,
        firstRecords,
      })
    }
    this.#channel.leaderChanged()
  }

  /** What a listener could not do is the answer to the command, and does not keep the next change from the listeners. */
  async #followed(): Promise<void> {
    const following = this.#following
    this.#following = following.catch(() => {})
    await following
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
