/** This process as a broker of the cluster: registered, taking part, leaving. */
import type { Clock, Logger, Timer } from '@naru/base'
import type {
  MetadataImage,
  MetadataRecord,
  Refusal,
  RequestOf,
  SupportedFeature,
} from '@naru/metadata'
import { BrokerSession } from './broker-session.ts'
import type { Frame, SessionHeartbeat, SessionState } from './peers/frame.ts'

/** What a broker tells of itself. */
export type BrokerRegistration = Pick<
  RequestOf<'registerBroker'>,
  'rack' | 'endpoints' | 'directories'
>

export interface BrokerMembershipOptions {
  readonly nodeId: number
  /** Of the log directory that holds the metadata. */
  readonly directoryId: string
  readonly incarnationId: string
  readonly features: readonly SupportedFeature[]
  readonly image: MetadataImage
  readonly clock: Clock
  readonly logger: Logger
  readonly metadataOffset: () => bigint
  readonly submit: (
    command: { readonly type: 'registerBroker' } & RequestOf<'registerBroker'>,
  ) => Promise<{ readonly brokerEpoch: bigint } | Refusal>
  readonly controllerId: () => number | undefined
  /** This node leads the quorum, and a majority of it answered within that time. */
  readonly leadsMajority: (withinMs: number) => boolean
  /** Silence after which a controller fences a broker. */
  readonly sessionTimeoutMs: number
  /** Says it to the controller, wherever it is. */
  readonly tell: (heartbeat: SessionHeartbeat) => void
  /** The controller does not take this broker any more: the process must end. */
  readonly onLost: (error: unknown) => void
}

/** Before what was refused for now is asked again. */
const retryMs = 200
/** How long a broker that stops waits for others to take its leaderships. */
const leaveMs = 10_000
/** After this long without a controller there is nobody to ask. */
const leaderlessMs = 1_000
/** Of the session timeout: earlier than the controller, who began to count up to a heartbeat before this broker. */
const trustedShare = 0.75

export class BrokerMembership {
  readonly #options: BrokerMembershipOptions
  readonly #session: BrokerSession
  #onRegistered: (brokerEpoch: bigint) => Promise<void> = () => Promise.resolve()
  #isUnfenced: () => void = () => {}
  #repeat: Timer | undefined
  #isStopped = false

  constructor(options: BrokerMembershipOptions) {
    this.#options = options
    const { clock, logger, metadataOffset, onLost } = options
    this.#session = new BrokerSession({
      clock,
      logger,
      metadataOffset,
      onLost,
      register: async () => options.submit(await this.#request()),
      onRegistered: (brokerEpoch) => this.#onRegistered(brokerEpoch),
      hurry: () => this.hurry(),
      pause: () => new Promise((resolve) => clock.setTimer(retryMs, resolve)),
    })
  }

  #registration: () => Promise<BrokerRegistration> = () =>
    Promise.resolve({ rack: null, endpoints: [], directories: [] })

  /** Of the registration; undefined while there is none. */
  get brokerEpoch(): bigint | undefined {
    const { brokerEpoch } = this.#session
    return brokerEpoch < 0n ? undefined : brokerEpoch
  }

  /**
   * Whether this process may still take itself for the leader of what it leads: one that stood still, or hears nothing from a
   * controller, may have been fenced and replaced. What waits for other replicas needs no such guard: it cannot commit.
   */
  get isTrusted(): boolean {
    const { sessionTimeoutMs, leadsMajority } = this.#options
    const withinMs = sessionTimeoutMs * trustedShare
    return this.#session.silentMs < withinMs || leadsMajority(withinMs)
  }

  /**
   * Makes this process the broker of its id; it is fenced until it takes part. `registration` is asked again whenever the process has to
   * register anew: it says how the broker is then. `onRegistered` keeps the registration on the disks. Rejects with SessionError when the controller does not take it.
   */
  async register(
    registration: () => Promise<BrokerRegistration>,
    onRegistered: (brokerEpoch: bigint) => Promise<void>,
  ): Promise<void> {
    this.#registration = registration
    this.#onRegistered = onRegistered
    await this.#session.register()
  }

  /** Leads and follows partitions from now on; resolves when the controller counts on it. */
  async takePart(): Promise<void> {
    const unfenced = new Promise<void>((resolve) => {
      this.#isUnfenced = resolve
    })
    this.#session.takePart()
    if (!this.#isActive) await unfenced
  }

  /** Log directories failed: the controller moves what they hold. */
  directoriesFailed(directories: readonly string[]): void {
    this.#session.directoriesFailed(directories)
  }

  /** Gives up leaderships before the stop, as far as there is a controller and others can take them. */
  async leave(): Promise<void> {
    if (this.brokerEpoch === undefined) return
    const { clock, controllerId } = this.#options
    const deadlineMs = clock.monotonic() + leaveMs
    await new Promise<void>((resolve) => {
      void this.#session.shutDown().then(resolve)
      const look = () => {
        const isHopeless = controllerId() === undefined || clock.monotonic() >= deadlineMs
        if (isHopeless) resolve()
        else clock.setTimer(leaderlessMs, look)
      }
      clock.setTimer(leaderlessMs, look)
    })
  }

  /** What goes to the controller along with other words to it. */
  beat(): Frame {
    const heartbeat = this.#session.beat()
    return heartbeat === undefined ? {} : { heartbeat }
  }

  /** Tells the controller at once how this broker is. */
  hurry(): void {
    this.#options.clock.afterTurn(() => {
      if (this.#isStopped) return
      const { heartbeat } = this.beat()
      if (heartbeat === undefined) return
      this.#options.tell(heartbeat)
      this.#sayAgain()
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#repeat?.cancel()
  }

  received(state: SessionState): void {
    this.#session.received(state)
  }

  /** After a change of the metadata. */
  applied(records: readonly MetadataRecord[]): void {
    const { nodeId } = this.#options
    const isOwn = records.some(
      (each) =>
        (each.type === 'brokerState' || each.type === 'unregisterBroker') && each.nodeId === nodeId,
    )
    if (!isOwn) return
    if (this.#isActive) this.#isUnfenced()
    this.hurry()
  }

  /** The controller gets no heartbeats of the quorum from itself: what it refused to its own broker would never come up again. */
  #sayAgain(): void {
    const { clock, controllerId, nodeId } = this.#options
    if (controllerId() !== nodeId || !this.#session.wants({ isActive: this.#isActive })) return
    this.#repeat?.cancel()
    this.#repeat = clock.setTimer(retryMs, () => this.hurry())
  }

  get #isActive(): boolean {
    const broker = this.#options.image.brokers.get(this.#options.nodeId)
    return broker?.brokerEpoch === this.#session.brokerEpoch && broker?.isFenced === false
  }

  async #request() {
    const { nodeId, directoryId, incarnationId, features, image } = this.#options
    const { clusterId } = image
    return {
      type: 'registerBroker',
      nodeId,
      incarnationId,
      metadataDirectory: directoryId,
      clusterId,
      ...(await this.#registration()),
      features,
      isPreviousSilent: false,
    } as const
  }
}
