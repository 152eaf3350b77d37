/**
 * This broker's session with the controller: it registers, says that it lives along with every heartbeat of the quorum, and learns
 * whether it is fenced. Who is told that another process has taken its place ends.
 */
import type { Clock, Logger } from '@naru/base'
import { isRefusal, type Refusal } from '@naru/metadata'
import { type KafkaError, kafkaErrors } from '@naru/model'
import type { SessionHeartbeat, SessionState } from './peers/frame.ts'

export interface BrokerSessionOptions {
  readonly clock: Clock
  readonly logger: Logger
  /** Up to where this broker has acted on the metadata. */
  readonly metadataOffset: () => bigint
  readonly register: () => Promise<{ readonly brokerEpoch: bigint } | Refusal>
  /** Keeps the registration, before anything is said under it. */
  readonly onRegistered: (brokerEpoch: bigint) => Promise<void>
  /** Says at once what `beat` gives, instead of with the next heartbeat of the quorum. */
  readonly hurry: () => void
  /** Resolves after a while. */
  readonly pause: () => Promise<void>
  readonly onLost: (error: SessionError) => void
}

/** The controller does not take this broker. */
export class SessionError extends Error {
  override readonly name = 'SessionError'
  readonly code: string
  readonly kafka: KafkaError
  readonly hint: string

  constructor({ error, message }: Refusal) {
    super(message)
    this.code = error.name
    this.kafka = error
    this.hint =
      error === kafkaErrors.UNSUPPORTED_VERSION
        ? 'Start a version of the program that knows the level of the cluster: naru cluster features shows it'
        : 'Each broker of a cluster needs a node.id of its own, and one process per data directory'
  }
}

/** Until then the session of a process before is over, or it is another broker with the same id. */
const attemptsMax = 50

export class BrokerSession {
  readonly #options: BrokerSessionOptions
  #brokerEpoch = -1n
  #heardMs = Number.NEGATIVE_INFINITY
  #sequence = 0n
  #wantFence = true
  #wantShutdown = false
  #isRegistering = false
  #offlineDirectories: readonly string[] = []
  #mayStop: () => void = () => {}

  constructor(options: BrokerSessionOptions) {
    this.#options = options
  }

  get brokerEpoch(): bigint {
    return this.#brokerEpoch
  }

  /** Since the controller last said that it holds this session, in ms. */
  get silentMs(): number {
    return this.#options.clock.monotonic() - this.#heardMs
  }

  /** Registers; resolves with the epoch. Rejects with SessionError when the controller does not take this broker. */
  async register(): Promise<bigint> {
    this.#isRegistering = true
    let attempts = 0
    try {
      for (;;) {
        const answer = await this.#options.register()
        if (!isRefusal(answer)) {
          await this.#options.onRegistered(answer.brokerEpoch)
          this.#brokerEpoch = answer.brokerEpoch
          this.#options.hurry()
          return answer.brokerEpoch
        }
        this.#options.logger.warn('registration-refused', { reason: answer.message })
        if (!isPassing(answer) || ++attempts >= attemptsMax) throw new SessionError(answer)
        await this.#options.pause()
      }
    } finally {
      this.#isRegistering = false
    }
  }

  /** Whether the controller has still to do something for it. */
  wants({ isActive }: { isActive: boolean }): boolean {
    if (this.#brokerEpoch < 0n) return false
    return this.#wantShutdown || this.#wantFence === isActive
  }

  /** What the controller is told with each sign of life; nothing before the registration. */
  beat(): SessionHeartbeat | undefined {
    if (this.#brokerEpoch < 0n) return undefined
    return {
      brokerEpoch: this.#brokerEpoch,
      metadataOffset: this.#options.metadataOffset(),
      wantFence: this.#wantFence,
      wantShutdown: this.#wantShutdown,
      offlineDirectories: this.#offlineDirectories,
      peersDown: [],
      sequence: ++this.#sequence,
    }
  }

  /** What the controller holds of the session. */
  received(state: SessionState): void {
    if (state.brokerEpoch !== this.#brokerEpoch) return
    this.#heardMs = this.#options.clock.monotonic()
    if (state.mayStop) this.#mayStop()
    if (state.isStale && !this.#isRegistering) {
      this.register().catch((error: unknown) => this.#options.onLost(error as SessionError))
    }
  }

  /** This broker is ready to lead and to follow partitions. */
  takePart(): void {
    this.#wantFence = false
    this.#options.hurry()
  }

  directoriesFailed(directories: readonly string[]): void {
    this.#offlineDirectories = directories
    this.#options.hurry()
  }

  /** Asks to stop; resolves when leaderships have moved to others as far as they can. */
  shutDown(): Promise<void> {
    this.#wantShutdown = true
    const stopped = new Promise<void>((resolve) => {
      this.#mayStop = resolve
    })
    this.#options.hurry()
    return stopped
  }
}

/** The session of the process before is not over yet, or no controller answered. */
function isPassing({ error }: Refusal): boolean {
  return (
    error === kafkaErrors.DUPLICATE_BROKER_REGISTRATION || error === kafkaErrors.REQUEST_TIMED_OUT
  )
}
