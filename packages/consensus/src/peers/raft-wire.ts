/** Raft messages in the shape of `naru.internal.v1.RaftMessage`: 64-bit integers as strings. */
import { DecodeError } from '@naru/base'
import type { Draft, Entry, Message, MessageType, Snapshot } from '@naru/raft'
import {
  bool,
  bytes,
  int,
  int64,
  list,
  nested,
  objectElement,
  optional,
  safeInt64,
  text,
  textElement,
} from './wire-fields.ts'

type Bodies = { [T in MessageType]: Omit<Extract<Draft, { type: T }>, 'type'> }
interface Codec<Body> {
  toWire(body: Body): object
  fromWire(wire: object): Body
}

const empty = { toWire: () => ({}), fromWire: () => ({}) }

const lastEntry: Codec<Bodies['vote']> = {
  toWire: ({ lastIndex, lastTerm }) => ({ lastIndex: `${lastIndex}`, lastTerm: `${lastTerm}` }),
  fromWire: (wire) => ({ lastIndex: int64(wire, 'lastIndex'), lastTerm: int64(wire, 'lastTerm') }),
}

const vote: Codec<Bodies['voteReply']> = {
  toWire: ({ granted }) => ({ granted }),
  fromWire: (wire) => ({ granted: bool(wire, 'granted') }),
}

const append: Codec<Bodies['append']> = {
  toWire: ({ prevIndex, prevTerm, entries, commitIndex }) => ({
    prevIndex: `${prevIndex}`,
    prevTerm: `${prevTerm}`,
    entries: entries.map(entryToWire),
    commitIndex: `${commitIndex}`,
  }),
  fromWire: (wire) => ({
    prevIndex: int64(wire, 'prevIndex'),
    prevTerm: int64(wire, 'prevTerm'),
    entries: list(wire, 'entries', (element) => entryFromWire(objectElement(element))),
    commitIndex: int64(wire, 'commitIndex'),
  }),
}

const appendReply: Codec<Bodies['appendReply']> = {
  toWire: ({ matchIndex, rejected, isRecovering, recoveries }) => ({
    matchIndex: `${matchIndex}`,
    ...(rejected === undefined ? {} : { rejected: rejectionToWire(rejected) }),
    isRecovering,
    recoveries,
  }),
  fromWire(wire) {
    const rejected = optional(wire, 'rejected')
    return {
      matchIndex: int64(wire, 'matchIndex'),
      ...(rejected === undefined ? {} : { rejected: rejectionFromWire(rejected) }),
      isRecovering: bool(wire, 'isRecovering'),
      recoveries: int(wire, 'recoveries'),
    }
  },
}

const heartbeat: Codec<Bodies['heartbeat']> = {
  toWire: ({ commitIndex, round, recoverTo }) => ({
    commitIndex: `${commitIndex}`,
    round: `${round}`,
    ...(recoverTo === undefined
      ? {}
      : { recoverTo: { recoveries: recoverTo.recoveries, index: `${recoverTo.index}` } }),
  }),
  fromWire(wire) {
    const to = optional(wire, 'recoverTo')
    return {
      commitIndex: int64(wire, 'commitIndex'),
      round: safeInt64(wire, 'round'),
      ...(to === undefined
        ? {}
        : { recoverTo: { recoveries: int(to, 'recoveries'), index: int64(to, 'index') } }),
    }
  },
}

const snapshot: Codec<Bodies['snapshot']> = {
  toWire: ({ snapshot: position, offset, data, crc, isLast }) => ({
    snapshot: positionToWire(position),
    offset: `${offset}`,
    data,
    crc,
    isLast,
  }),
  fromWire: (wire) => ({
    snapshot: positionFromWire(nested(wire, 'snapshot')),
    offset: safeInt64(wire, 'offset'),
    data: bytes(wire, 'data'),
    crc: int(wire, 'crc'),
    isLast: bool(wire, 'isLast'),
  }),
}

const codecs: { readonly [T in MessageType]: Codec<Bodies[T]> } = {
  preVote: lastEntry,
  preVoteReply: vote,
  vote: lastEntry,
  voteReply: vote,
  append,
  appendReply,
  heartbeat,
  heartbeatReply: {
    toWire: ({ round }) => ({ round: `${round}` }),
    fromWire: (wire) => ({ round: safeInt64(wire, 'round') }),
  },
  snapshot,
  snapshotReply: {
    toWire: ({ index, nextOffset }) => ({ index: `${index}`, nextOffset: `${nextOffset}` }),
    fromWire: (wire) => ({
      index: int64(wire, 'index'),
      nextOffset: safeInt64(wire, 'nextOffset'),
    }),
  },
  timeoutNow: empty,
  observe: empty,
  redirect: {
    toWire: ({ leader }) => ({ leader }),
    fromWire: (wire) => ({ leader: text(wire, 'leader') }),
  },
}
const types = Object.keys(codecs) as MessageType[]

export function raftToWire(message: Message): object {
  const { from, to, term, type } = message
  const codec = codecs[type] as Codec<Message>
  return { from, to, term: `${term}`, [type]: codec.toWire(message) }
}

/** Throws DecodeError for what no replica says. */
export function raftFromWire(wire: object): Message {
  const type = types.find((each) => optional(wire, each) !== undefined)
  if (type === undefined) throw new DecodeError('A Raft message without a body')
  const envelope = { from: text(wire, 'from'), to: text(wire, 'to'), term: int64(wire, 'term') }
  return { ...envelope, type, ...codecs[type].fromWire(nested(wire, type)) } as Message
}

function entryToWire(entry: Entry): object {
  const position = { index: `${entry.index}`, term: `${entry.term}` }
  if (entry.kind === 'data') return { ...position, data: entry.payload }
  return entry.kind === 'noop'
    ? { ...position, noop: {} }
    : { ...position, voters: { keys: [...entry.voters] } }
}

function entryFromWire(wire: object): Entry {
  const position = { index: int64(wire, 'index'), term: int64(wire, 'term') }
  if (optional(wire, 'noop') !== undefined) return { ...position, kind: 'noop' }
  const voters = optional(wire, 'voters')
  if (voters !== undefined) return { ...position, kind: 'voters', voters: keysOf(voters) }
  return { ...position, kind: 'data', payload: bytes(wire, 'data') }
}

function positionToWire({ index, term, voters }: Snapshot): object {
  return { index: `${index}`, term: `${term}`, voters: { keys: [...voters] } }
}

function positionFromWire(wire: object): Snapshot {
  const voters = keysOf(nested(wire, 'voters'))
  return { index: int64(wire, 'index'), term: int64(wire, 'term'), voters }
}

function keysOf(wire: object): string[] {
  return list(wire, 'keys', textElement)
}

type Rejection = NonNullable<Bodies['appendReply']['rejected']>

function rejectionToWire({ prevIndex, hintIndex, hintTerm }: Rejection): object {
  return { prevIndex: `${prevIndex}`, hintIndex: `${hintIndex}`, hintTerm: `${hintTerm}` }
}

function rejectionFromWire(wire: object): Rejection {
  return {
    prevIndex: int64(wire, 'prevIndex'),
    hintIndex: int64(wire, 'hintIndex'),
    hintTerm: int64(wire, 'hintTerm'),
  }
}
