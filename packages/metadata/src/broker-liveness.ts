/**
 * Who is alive, as the active controller sees it. Fencing is never a matter of safety: a broker may be fenced at any moment, for any
 * reason, and nothing acknowledged is lost. So a closed stream is enough to act in tens of milliseconds; silence takes longer.
 */
import type { NodeId } from '@naru/model'
import {
  type BrokerSession,
  type Heartbeat,
  newSession,
  type SessionAnswer,
} from './broker-session.ts'
import type { Command } from './commands.ts'
import { FalseFences } from './false-fences.ts'
import type { BrokerImage } from './image.ts'

export interface LivenessTiming {
  /** Silence after which a broker is fenced. */
  readonly sessionTimeoutMs: number
  readonly heartbeatIntervalMs: number
  /** How long a process whose stream was closed has to show that it lives. */
  readonly reconnectGraceMs: number
  /** When it is asked meanwhile. */
  readonly probesAtMs: readonly number[]
  readonly falseFences: { readonly max: number; readonly windowMs: number }
}

export const defaultTiming: LivenessTiming = {
  sessionTimeoutMs: 2_000,
  heartbeatIntervalMs: 200,
  reconnectGraceMs: 80,
  probesAtMs: [5, 15, 35, 75],
  falseFences: { max: 3, windowMs: 60_000 },
}

export type LivenessOutput =
  | { readonly type: 'submit'; readonly nodeId: NodeId; readonly command: Command }
  /** Ask for a Hello on a fresh connection; a connection alone proves nothing. */
  | { readonly type: 'probe'; readonly nodeId: NodeId; readonly incarnationId: string }
  | { readonly type: 'answer'; readonly nodeId: NodeId; readonly answer: SessionAnswer }

export class BrokerLiveness {
  readonly #self: NodeId
  readonly #timing: LivenessTiming
  readonly #falseFences: FalseFences
  readonly #sessions = new Map<NodeId, BrokerSession>()
  #outputs: LivenessOutput[] = []

  constructor(self: NodeId, timing: LivenessTiming = defaultTiming) {
    this.#self = self
    this.#timing = timing
    this.#falseFences = new FalseFences(timing.falseFences)
  }

  /** This controller begins: it has no sessions to lose, so it asks everybody, and whoever answers has a full timeout. */
  activated(brokers: Iterable<BrokerImage>, nowMs: number): void {
    this.deactivated()
    for (const broker of brokers) {
      const session = newSession(broker, { stream: 'unknown', nowMs })
      this.#sessions.set(broker.nodeId, session)
      this.#suspect(session, { isClosed: false, nowMs })
    }
  }

  /** Another controller takes over: nothing is this one's business any more. */
  deactivated(): void {
    this.#sessions.clear()
    this.#outputs = []
  }

  /** The image changed; undefined when the broker was unregistered. */
  brokerChanged(nodeId: NodeId, broker: BrokerImage | undefined, nowMs: number): void {
    const session = this.#sessions.get(nodeId)
    if (broker === undefined) {
      this.#sessions.delete(nodeId)
      this.#falseFences.forget(nodeId)
    } else if (session?.broker.brokerEpoch !== broker.brokerEpoch) {
      // It has just registered, so it can be heard.
      this.#sessions.set(nodeId, newSession(broker, { stream: 'open', nowMs }))
    } else {
      // Its time counts from when it takes part.
      if (session.broker.isFenced && !broker.isFenced) session.lastHeardMs = nowMs
      session.broker = broker
      if (broker.isFenced) session.suspicion = undefined
    }
  }

  /** A submitted command came to its end, whatever that was. */
  settled(nodeId: NodeId, brokerEpoch: bigint): void {
    const session = this.#sessions.get(nodeId)
    if (session?.broker.brokerEpoch !== brokerEpoch) return
    session.isPending = false
    if (session.hasStopped) this.#fence(session, 'stopped')
  }

  /** The answer to a controlled shutdown that was decided at `index`. */
  shutdownDecided(
    nodeId: NodeId,
    shutdown: { brokerEpoch: bigint; index: bigint; movable: number },
  ): void {
    const session = this.#sessions.get(nodeId)
    if (session?.broker.brokerEpoch !== shutdown.brokerEpoch) return
    const { index, movable } = shutdown
    session.shutdown = { index, movable }
  }

  heartbeat(nodeId: NodeId, heartbeat: Heartbeat, nowMs: number): void {
    this.#forgiveOwnStall(nowMs)
    const { brokerEpoch, sequence } = heartbeat
    const session = this.#sessions.get(nodeId)
    if (session?.broker.brokerEpoch !== brokerEpoch) {
      const stale = { brokerEpoch, isFenced: true, mayStop: false, isStale: true, sequence }
      this.#outputs.push({ type: 'answer', nodeId, answer: stale })
      return
    }
    session.lastHeardMs = nowMs
    session.metadataOffset = heartbeat.metadataOffset
    this.#isAlive(session, nowMs)
    this.#follow(session, heartbeat)
    for (const peer of heartbeat.peersDown) this.#reported(peer, nowMs)
    const { isFenced } = session.broker
    const mayStop = heartbeat.wantShutdown && this.#mayStop(session)
    const answer = { brokerEpoch, isFenced, mayStop, isStale: false, sequence }
    this.#outputs.push({ type: 'answer', nodeId, answer })
  }

  /** A stream ended, and nobody said goodbye. */
  streamClosed(nodeId: NodeId, incarnationId: string, nowMs: number): void {
    const session = this.#sessions.get(nodeId)
    if (session?.broker.incarnationId !== incarnationId) return
    session.stream = 'closed'
    this.#suspect(session, { isClosed: true, nowMs })
  }

  /** A probe was refused, or its stream closed before a Hello. */
  probeFailed(nodeId: NodeId, incarnationId: string): void {
    const session = this.#sessions.get(nodeId)
    if (session?.broker.incarnationId !== incarnationId) return
    // While it is heard on another stream, it is not gone.
    if (session.suspicion !== undefined && session.stream !== 'open') {
      session.suspicion.isClosed = true
    }
  }

  /** A process introduced itself: the one that was meant, or the next, which shows that the other is gone. */
  hello(nodeId: NodeId, incarnationId: string, nowMs: number): void {
    const session = this.#sessions.get(nodeId)
    if (session === undefined) return
    if (session.broker.incarnationId === incarnationId) this.#isAlive(session, nowMs)
    else if (session.suspicion !== undefined) this.#fenceEarly(session, nowMs)
  }

  /** A process stops in order. */
  goodbye(nodeId: NodeId, incarnationId: string): void {
    const session = this.#sessions.get(nodeId)
    if (session?.broker.incarnationId !== incarnationId) return
    session.stream = 'closed'
    session.hasStopped = true
    session.suspicion = undefined
    this.#fence(session, 'stopped')
  }

  elapsed(nowMs: number): void {
    this.#forgiveOwnStall(nowMs)
    const { sessionTimeoutMs, reconnectGraceMs } = this.#timing
    for (const session of this.#sessions.values()) {
      if (!this.#isWatched(session)) continue
      this.#probe(session, nowMs)
      const { suspicion } = session
      // The same sums as in the deadline: a difference may be rounded to less, and nothing would come of it.
      if (nowMs >= session.lastHeardMs + sessionTimeoutMs) {
        this.#fence(session, 'session timeout')
      } else if (suspicion !== undefined && nowMs >= suspicion.sinceMs + reconnectGraceMs) {
        if (suspicion.isClosed) this.#fenceEarly(session, nowMs)
        session.suspicion = undefined
      }
    }
  }

  /** When {@link elapsed} has something to do. */
  get deadlineMs(): number | undefined {
    const { sessionTimeoutMs, reconnectGraceMs, probesAtMs } = this.#timing
    let deadlineMs: number | undefined
    for (const session of this.#sessions.values()) {
      if (!this.#isWatched(session)) continue
      const { suspicion, lastHeardMs } = session
      let dueMs = lastHeardMs + sessionTimeoutMs
      if (suspicion !== undefined) {
        const afterMs = probesAtMs[suspicion.probesSent] ?? reconnectGraceMs
        dueMs = Math.min(dueMs, suspicion.sinceMs + afterMs)
      }
      deadlineMs = Math.min(deadlineMs ?? dueMs, dueMs)
    }
    return deadlineMs
  }

  /** Whether a registered process shows no sign of life, so that another with its lock may take its place. */
  isSilent(nodeId: NodeId, nowMs: number): boolean {
    const session = this.#sessions.get(nodeId)
    if (session === undefined || session.stream === 'closed') return true
    return nowMs - session.lastHeardMs > this.#timing.heartbeatIntervalMs
  }

  takeOutputs(): readonly LivenessOutput[] {
    const outputs = this.#outputs
    this.#outputs = []
    return outputs
  }

  /** A broker that takes part, and is not the one that this controller runs in: that one speaks, or nobody does. */
  #isWatched({ broker, isPending }: BrokerSession): boolean {
    return broker.nodeId !== this.#self && !broker.isFenced && !isPending
  }

  #isAlive(session: BrokerSession, nowMs: number): void {
    session.stream = 'open'
    session.hasStopped = false
    session.suspicion = undefined
    if (!session.wasFencedEarly) return
    session.wasFencedEarly = false
    this.#falseFences.note(session.broker.nodeId, nowMs)
  }

  /** What a broker wants, as far as its state allows it. */
  #follow(session: BrokerSession, heartbeat: Heartbeat): void {
    const { broker } = session
    const { nodeId, brokerEpoch } = broker
    const { wantFence, wantShutdown } = heartbeat
    const failed = heartbeat.offlineDirectories.filter(
      (id) => !broker.offlineDirectories.includes(id),
    )
    if (failed.length > 0) {
      const command = { type: 'reportOfflineDirectories', nodeId, brokerEpoch } as const
      this.#submit(session, { ...command, directories: failed })
    }
    if (broker.isFenced) {
      // It must know of everything that led to its registration, or it would act on leaderships that it has lost.
      const hasCaughtUp = heartbeat.metadataOffset >= brokerEpoch
      if (wantFence || wantShutdown || !hasCaughtUp) return
      this.#submit(session, { type: 'unfenceBroker', nodeId, brokerEpoch })
    } else if (wantFence) {
      this.#fence(session, 'asked for it')
    } else if (wantShutdown && session.shutdown?.movable !== 0) {
      this.#submit(session, { type: 'controlledShutdown', nodeId, brokerEpoch })
    }
  }

  #mayStop({ broker, shutdown }: BrokerSession): boolean {
    if (broker.isFenced) return true
    if (!broker.isShuttingDown || shutdown === undefined || shutdown.movable > 0) return false
    for (const other of this.#sessions.values()) {
      if (other.broker.isFenced || other.broker.isShuttingDown) continue
      if (other.metadataOffset < shutdown.index) return false
    }
    return true
  }

  /** What others see is a reason to ask, never to fence: it may be their network. */
  #reported(nodeId: NodeId, nowMs: number): void {
    const session = this.#sessions.get(nodeId)
    if (session === undefined || session.suspicion !== undefined) return
    this.#suspect(session, { isClosed: false, nowMs })
  }

  #suspect(
    session: BrokerSession,
    { isClosed, nowMs }: { isClosed: boolean; nowMs: number },
  ): void {
    if (!this.#isWatched(session)) return
    const { suspicion } = session
    if (suspicion?.isClosed) return
    session.suspicion = { sinceMs: nowMs, probesSent: 0, isClosed }
  }

  #probe(session: BrokerSession, nowMs: number): void {
    const { broker, suspicion } = session
    const { probesAtMs } = this.#timing
    if (suspicion === undefined) return
    const due = probesAtMs.filter((atMs) => suspicion.sinceMs + atMs <= nowMs).length
    if (due <= suspicion.probesSent) return
    suspicion.probesSent = due
    const { nodeId, incarnationId } = broker
    this.#outputs.push({ type: 'probe', nodeId, incarnationId })
  }

  #fenceEarly(session: BrokerSession, nowMs: number): void {
    const { broker } = session
    session.suspicion = undefined
    if (!this.#falseFences.mayFence(broker.nodeId, nowMs)) return
    session.wasFencedEarly = true
    this.#fence(session, 'connection lost')
  }

  #fence(session: BrokerSession, cause: string): void {
    const { nodeId, brokerEpoch, isFenced } = session.broker
    if (!isFenced) this.#submit(session, { type: 'fenceBroker', nodeId, brokerEpoch, cause })
  }

  /** One command at a time for each broker; what is still wanted comes up again with the next heartbeat or deadline. */
  #submit(session: BrokerSession, command: Command): void {
    if (session.isPending) return
    session.isPending = true
    this.#outputs.push({ type: 'submit', nodeId: session.broker.nodeId, command })
  }

  /** A controller that stood still cannot tell whether the others were silent: their words may be waiting to be read. */
  #forgiveOwnStall(nowMs: number): void {
    const { deadlineMs } = this
    const { sessionTimeoutMs } = this.#timing
    if (deadlineMs === undefined || nowMs - deadlineMs <= sessionTimeoutMs / 2) return
    for (const session of this.#sessions.values()) {
      session.lastHeardMs = nowMs
      const { suspicion } = session
      if (suspicion !== undefined)
        session.suspicion = { ...suspicion, sinceMs: nowMs, probesSent: 0 }
    }
  }
}
