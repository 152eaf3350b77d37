/**
 * Events of one decision as bytes: when and why once, then each event by type and version, in the flexible encoding of the protocol.
 * A field that older readers may overlook is added as a tagged one.
 */
import { assert, ByteReader, ByteWriter, DecodeError } from '@naru/base'
import {
  array,
  boolean,
  type Codec,
  int16,
  int32,
  int64,
  string,
  struct,
  type Type,
  uuid,
} from '@naru/protocol'
import type { TimelineEvent } from './events.ts'

/** Of every event so far. */
const version = 0

const partition = { topic: string, topicId: uuid, partition: int32 }
const isr = struct({ ...partition, isr: array(int32), nodes: array(int32) })
const reassignment = struct({ ...partition, replicas: array(int32) })
const broker = struct({ nodeId: int32 })
const topic = struct({ topic: string, topicId: uuid })

const schemas: Readonly<Record<TimelineEvent['type'], object>> = {
  leaderElected: struct({ ...partition, leader: int32, previous: int32, leaderEpoch: int32 }),
  isrShrunk: isr,
  isrGrown: isr,
  uncleanElection: struct({ ...partition, leader: int32, isCommanded: boolean }),
  reassignmentStarted: reassignment,
  reassignmentEnded: reassignment,
  brokerRegistered: struct({ nodeId: int32, brokerEpoch: int64 }),
  brokerFenced: broker,
  brokerUnfenced: broker,
  brokerShuttingDown: broker,
  brokerUnregistered: broker,
  directoriesFailed: struct({ nodeId: int32, directories: array(uuid) }),
  topicCreated: topic,
  topicDeleted: topic,
  featureChanged: struct({ name: string, level: int16, previous: int16 }),
}

/** Position in the file format: never reorder. */
const types = Object.keys(schemas) as TimelineEvent['type'][]
const codecs = types.map((type) => resolve(schemas[type] as Type<object>))
const positions = new Map(types.map((type, index) => [type, index]))
const head = resolve(struct({ timestampMs: int64, cause: string }))

function resolve<T>(type: Type<T>): Codec<T> {
  const codec = type.resolve({ version, isFlexible: true })
  if ('absent' in codec) throw new TypeError('An event is a struct')
  return codec
}

/** At least one event; all have the same time and cause. */
export function encodeTimelineEvents(events: readonly TimelineEvent[]): Buffer {
  const [first] = events
  assert(first !== undefined, 'No decision without an event is encoded')
  const { timestampMs, cause } = first
  const writer = new ByteWriter(64 * events.length)
  head.write(writer, { timestampMs: BigInt(timestampMs), cause })
  writer.unsignedVarint(events.length)
  for (const event of events) {
    assert(event.timestampMs === timestampMs && event.cause === cause, 'Events of two decisions')
    const index = positions.get(event.type) as number
    writer.unsignedVarint(index)
    writer.unsignedVarint(version)
    ;(codecs[index] as Codec<object>).write(writer, event)
  }
  return Buffer.concat(writer.finishChunks())
}

/** Throws DecodeError when the bytes are damaged or of a newer version. */
export function decodeTimelineEvents(bytes: Buffer): TimelineEvent[] {
  const reader = new ByteReader(bytes)
  const { timestampMs, cause } = head.read(reader)
  const change = { timestampMs: Number(timestampMs), cause }
  const count = reader.unsignedVarint()
  const events: TimelineEvent[] = []
  for (let i = 0; i < count; i++) {
    const index = reader.unsignedVarint()
    const found = reader.unsignedVarint()
    const codec = codecs[index]
    if (codec === undefined || found !== version) {
      throw new DecodeError(`Event ${types[index] ?? 'of unknown type'} has version ${found}`)
    }
    events.push({ type: types[index], ...codec.read(reader), ...change } as TimelineEvent)
  }
  if (reader.remaining > 0) throw new DecodeError('Bytes follow the events')
  return events
}
