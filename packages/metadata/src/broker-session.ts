import type { NodeId } from '@naru/model'
import type { BrokerImage } from './image.ts'

/** What a broker says of itself, a few times a second. */
export interface Heartbeat {
  readonly brokerEpoch: bigint
  /** Up to where it has acted on the metadata. */
  readonly metadataOffset: bigint
  readonly wantFence: boolean
  readonly wantShutdown: boolean
  readonly offlineDirectories: readonly string[]
  /** Brokers whose processes seem to be gone. */
  readonly peersDown: readonly NodeId[]
  readonly sequence: bigint
}

/** What the controller answers to a heartbeat. */
export interface SessionAnswer {
  readonly brokerEpoch: bigint
  readonly isFenced: boolean
  /** It leads nothing that could move, and everybody knows. */
  readonly mayStop: boolean
  /** The registration is not the current one: register again. */
  readonly isStale: boolean
  readonly sequence: bigint
}

/** The process may be gone: it is asked, and fenced if it does not answer in time. */
export interface Suspicion {
  readonly sinceMs: number
  probesSent: number
  /** It closed its stream, or refused one: without that, silence is left to the session timeout. */
  isClosed: boolean
}

/** What the controller knows of a registered process beyond what the log says; a new controller starts without it. */
export interface BrokerSession {
  broker: BrokerImage
  lastHeardMs: number
  /** Unknown to a new controller until it hears of the broker. */
  stream: 'unknown' | 'open' | 'closed'
  metadataOffset: bigint
  suspicion: Suspicion | undefined
  /** Said goodbye: it is fenced as soon as that can be submitted. */
  hasStopped: boolean
  /** A command about it is under way. */
  isPending: boolean
  /** It was fenced before its session timeout: should it come back, that was a mistake. */
  wasFencedEarly: boolean
  /** After a controlled shutdown was decided: where all others have to be before it may stop. */
  shutdown: { readonly index: bigint; readonly movable: number } | undefined
}

export function newSession(
  broker: BrokerImage,
  { stream, nowMs }: { stream: BrokerSession['stream']; nowMs: number },
): BrokerSession {
  return {
    broker,
    lastHeardMs: nowMs,
    stream,
    metadataOffset: -1n,
    suspicion: undefined,
    hasStopped: false,
    isPending: false,
    wasFencedEarly: false,
    shutdown: undefined,
  }
}
