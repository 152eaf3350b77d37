/** What one broker says to another in one turn, and its shape as `naru.internal.v1.Frame`. */
import type { Message } from '@naru/raft'
import { raftFromWire, raftToWire } from './raft-wire.ts'
import {
  bool,
  bytes,
  int,
  int64,
  list,
  objectElement,
  optional,
  text,
  textElement,
} from './wire-fields.ts'

/** Who speaks. */
export interface Hello {
  /** Empty while the speaker belongs to no cluster. */
  readonly clusterId: string
  readonly nodeId: number
  readonly directoryId: string
  /** Of one process. */
  readonly incarnationId: string
  /** Nothing is in its metadata log. */
  readonly isEmpty: boolean
  /** Where others reach it. */
  readonly host: string
  readonly port: number
}

/** To the controller: a broker lives, and what it wants. */
export interface SessionHeartbeat {
  readonly brokerEpoch: bigint
  /** Up to where it has acted on the metadata. */
  readonly metadataOffset: bigint
  readonly wantFence: boolean
  readonly wantShutdown: boolean
  readonly offlineDirectories: readonly string[]
  readonly peersDown: readonly number[]
  readonly sequence: bigint
}

/** From the controller: what it holds of a session. */
export interface SessionState {
  readonly brokerEpoch: bigint
  readonly isFenced: boolean
  readonly mayStop: boolean
  readonly sequence: bigint
  /** The registration is not the current one: register again. */
  readonly isStale: boolean
}

export interface Call {
  readonly id: number
  readonly operation: string
  readonly payload: Buffer
}

export type CallFailure = 'NOT_LEADER' | 'LEADERSHIP_LOST' | 'REFUSED' | 'BUSY'

/** `index`: the metadata entry that has to be applied before the answer is passed on. */
export type CallOutcome =
  | { readonly index: bigint; readonly payload: Buffer }
  | { readonly index: bigint; readonly failure: CallFailure }

export interface Frame {
  readonly hello?: Hello
  readonly raft?: readonly Message[]
  readonly heartbeat?: SessionHeartbeat
  readonly session?: SessionState
  readonly calls?: readonly Call[]
  readonly results?: readonly (CallOutcome & { readonly id: number })[]
  readonly isGoodbye?: boolean
  /** Where nodes are reached that the messages speak of. */
  readonly addresses?: readonly NodeAddress[]
}

export interface NodeAddress {
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

export function frameToWire(frame: Frame): object {
  const { hello, raft = [], heartbeat, session, calls = [], results = [], isGoodbye } = frame
  const { addresses = [] } = frame
  return {
    ...(hello === undefined ? {} : { hello }),
    raft: raft.map(raftToWire),
    ...(heartbeat === undefined ? {} : { heartbeat: heartbeatToWire(heartbeat) }),
    ...(session === undefined ? {} : { session: sessionToWire(session) }),
    calls,
    results: results.map(({ index, ...result }) => ({ ...result, metadataIndex: `${index}` })),
    ...(isGoodbye === true ? { goodbye: {} } : {}),
    addresses,
  }
}

/** Throws DecodeError for what no broker says. */
export function frameFromWire(wire: object): Frame {
  const hello = optional(wire, 'hello')
  const heartbeat = optional(wire, 'heartbeat')
  const session = optional(wire, 'session')
  return {
    ...(hello === undefined ? {} : { hello: helloFromWire(hello) }),
    raft: list(wire, 'raft', (element) => raftFromWire(objectElement(element))),
    ...(heartbeat === undefined ? {} : { heartbeat: heartbeatFromWire(heartbeat) }),
    ...(session === undefined ? {} : { session: sessionFromWire(session) }),
    calls: list(wire, 'calls', (element) => callFromWire(objectElement(element))),
    results: list(wire, 'results', (element) => resultFromWire(objectElement(element))),
    isGoodbye: optional(wire, 'goodbye') !== undefined,
    addresses: list(wire, 'addresses', (element) => addressFromWire(objectElement(element))),
  }
}

function addressFromWire(wire: object): NodeAddress {
  return { nodeId: int(wire, 'nodeId'), host: text(wire, 'host'), port: int(wire, 'port') }
}

function helloFromWire(wire: object): Hello {
  return {
    clusterId: text(wire, 'clusterId'),
    nodeId: int(wire, 'nodeId'),
    directoryId: text(wire, 'directoryId'),
    incarnationId: text(wire, 'incarnationId'),
    isEmpty: bool(wire, 'isEmpty'),
    host: text(wire, 'host'),
    port: int(wire, 'port'),
  }
}

function heartbeatToWire({ brokerEpoch, metadataOffset, sequence, ...rest }: SessionHeartbeat) {
  const { offlineDirectories, peersDown } = rest
  return {
    ...rest,
    brokerEpoch: `${brokerEpoch}`,
    metadataOffset: `${metadataOffset}`,
    sequence: `${sequence}`,
    offlineDirectories: [...offlineDirectories],
    peersDown: [...peersDown],
  }
}

function heartbeatFromWire(wire: object): SessionHeartbeat {
  return {
    brokerEpoch: int64(wire, 'brokerEpoch'),
    metadataOffset: int64(wire, 'metadataOffset'),
    wantFence: bool(wire, 'wantFence'),
    wantShutdown: bool(wire, 'wantShutdown'),
    offlineDirectories: list(wire, 'offlineDirectories', textElement),
    peersDown: list(wire, 'peersDown', Number),
    sequence: int64(wire, 'sequence'),
  }
}

function sessionToWire({ brokerEpoch, sequence, ...rest }: SessionState): object {
  return { ...rest, brokerEpoch: `${brokerEpoch}`, sequence: `${sequence}` }
}

function sessionFromWire(wire: object): SessionState {
  return {
    brokerEpoch: int64(wire, 'brokerEpoch'),
    isFenced: bool(wire, 'isFenced'),
    mayStop: bool(wire, 'mayStop'),
    sequence: int64(wire, 'sequence'),
    isStale: bool(wire, 'isStale'),
  }
}

function callFromWire(wire: object): Call {
  const payload = bytes(wire, 'payload')
  return { id: int(wire, 'id'), operation: text(wire, 'operation'), payload }
}

const failures: readonly string[] = ['NOT_LEADER', 'LEADERSHIP_LOST', 'REFUSED', 'BUSY']

function resultFromWire(wire: object): CallOutcome & { readonly id: number } {
  const id = int(wire, 'id')
  const index = int64(wire, 'metadataIndex')
  if ('payload' in wire && wire.payload !== undefined) {
    return { id, index, payload: bytes(wire, 'payload') }
  }
  const failure = text(wire, 'failure')
  // Of a newer version: whatever it means, the call was not done for all that is known here.
  const isKnown = failures.includes(failure)
  return { id, index, failure: isKnown ? (failure as CallFailure) : 'LEADERSHIP_LOST' }
}
