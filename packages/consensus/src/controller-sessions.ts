/** The sessions of the brokers with this controller: feeds its view of who is alive, and does what that asks for. */
import type { Clock, Timer } from '@naru/base'
import {
  BrokerLiveness,
  type Command,
  isRefusal,
  type LivenessOutput,
  type LivenessTiming,
  type MetadataImage,
  type MetadataRecord,
} from '@naru/metadata'
import { ConsensusError } from './errors.ts'
import type { Frame, Hello, SessionHeartbeat, SessionState } from './peers/frame.ts'
import type { LinkEnd } from './peers/peer-link.ts'

export interface SessionPorts {
  readonly timing: LivenessTiming
  readonly post: (nodeId: number, frame: Frame) => void
  /** Says it along with what is said next. */
  readonly enclose: (nodeId: number, frame: Frame) => void
  /** Who answers at a node's address now. */
  readonly probe: (nodeId: number) => Promise<Hello | LinkEnd>
  /** The answer to the broker in this process. */
  readonly answerHere: (state: SessionState) => void
}

export interface ControllerSessionsOptions extends SessionPorts {
  readonly nodeId: number
  readonly clock: Clock
  readonly image: MetadataImage
  readonly submit: (command: Command) => Promise<{ index: bigint; result: object }>
}

/** Before a command that was refused is decided on anew. */
const retryMs = 50

export class ControllerSessions {
  readonly #options: ControllerSessionsOptions
  readonly #liveness: BrokerLiveness
  #timer: Timer | undefined
  #timerMs: number | undefined
  #isStopped = false

  constructor(options: ControllerSessionsOptions) {
    this.#options = options
    const { nodeId, timing, image, clock } = options
    this.#liveness = new BrokerLiveness(nodeId, timing)
    this.#liveness.activated(image.brokers.values(), clock.monotonic())
    this.#work()
  }

  isSilent(nodeId: number): boolean {
    return this.#liveness.isSilent(nodeId, this.#nowMs)
  }

  heartbeat(nodeId: number, heartbeat: SessionHeartbeat): void {
    this.#liveness.heartbeat(nodeId, heartbeat, this.#nowMs)
    this.#work()
  }

  hello({ nodeId, incarnationId }: Hello): void {
    this.#liveness.hello(nodeId, incarnationId, this.#nowMs)
    this.#work()
  }

  down({ nodeId, incarnationId }: Hello, end: LinkEnd): void {
    if (end === 'goodbye') this.#liveness.goodbye(nodeId, incarnationId)
    // A stream that broke in another way says nothing of the process.
    else if (end !== 'lost') this.#liveness.streamClosed(nodeId, incarnationId, this.#nowMs)
    this.#work()
  }

  /** After a change of the metadata. */
  changed(records: readonly MetadataRecord[]): void {
    const { brokers } = this.#options.image
    for (const record of records) {
      const { type } = record
      if (type === 'broker' || type === 'brokerState' || type === 'unregisterBroker') {
        const { nodeId } = record
        this.#liveness.brokerChanged(nodeId, brokers.get(nodeId), this.#nowMs)
      }
    }
    this.#work()
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#liveness.deactivated()
  }

  get #nowMs(): number {
    return this.#options.clock.monotonic()
  }

  #work(): void {
    if (this.#isStopped) return
    for (const output of this.#liveness.takeOutputs()) this.#do(output)
    this.#armTimer()
  }

  #do(output: LivenessOutput): void {
    const { nodeId, post, enclose, answerHere } = this.#options
    if (output.type === 'submit') void this.#submit(output.nodeId, output.command)
    else if (output.type === 'probe') void this.#probe(output)
    else if (output.nodeId === nodeId) answerHere(output.answer)
    else {
      // That nothing is new can wait for the next heartbeat of the quorum: an idle cluster says half as much.
      const { isFenced, mayStop, isStale } = output.answer
      const say = isFenced || mayStop || isStale ? post : enclose
      say(output.nodeId, { session: output.answer })
    }
  }

  async #submit(nodeId: number, command: Command): Promise<void> {
    const brokerEpoch = 'brokerEpoch' in command ? command.brokerEpoch : -1n
    try {
      const { index, result } = await this.#options.submit(command)
      if (command.type === 'controlledShutdown' && !isRefusal(result) && 'movable' in result) {
        const movable = Number(result.movable)
        this.#liveness.shutdownDecided(nodeId, { brokerEpoch, index, movable })
      }
    } catch (error) {
      if (!(error instanceof ConsensusError)) throw error
      // It leads no more, and the next controller finds the same out by itself; or it is handing over, and may go on leading.
      await new Promise<void>((resolve) => this.#options.clock.setTimer(retryMs, resolve))
    }
    this.#liveness.settled(nodeId, brokerEpoch)
    this.#work()
  }

  async #probe({ nodeId, incarnationId }: { nodeId: number; incarnationId: string }) {
    const outcome = await this.#options.probe(nodeId)
    // Who introduces himself is reported by the link; only a closed door is news here.
    if (outcome === 'refused' || outcome === 'ended') {
      this.#liveness.probeFailed(nodeId, incarnationId)
      this.#work()
    }
  }

  #armTimer(): void {
    const { clock } = this.#options
    const { deadlineMs } = this.#liveness
    if (deadlineMs === this.#timerMs) return
    this.#timer?.cancel()
    this.#timerMs = deadlineMs
    if (deadlineMs === undefined) return
    this.#timer = clock.setTimer(Math.max(0, deadlineMs - this.#nowMs), () => {
      this.#timerMs = undefined
      this.#liveness.elapsed(this.#nowMs)
      this.#work()
    })
  }
}
