/**
 * The records of the metadata log: the only way in which the cluster's metadata changes. Framed by type and version, in the
 * flexible encoding of the protocol, so that later versions can add fields. What is written depends on the level of `naru.version`:
 * a broker that knows only an older level must be able to read on.
 */
import { assert, ByteReader, ByteWriter, DecodeError } from '@naru/base'
import { zeroTopicId } from '@naru/model'
import {
  array,
  boolean,
  type Codec,
  int16,
  int32,
  int64,
  nullableArray,
  nullableString,
  since,
  string,
  struct,
  type Type,
  uuid,
  type ValueOf,
} from '@naru/protocol'
import { compactPartition, partitionStates } from './partition-codecs.ts'
import type { ReadonlyDeep } from './readonly-deep.ts'

const schemas = {
  cluster: struct({ clusterId: string }),
  /** A registration: the broker is fenced until a `brokerState` says otherwise. */
  broker: struct({
    nodeId: int32,
    brokerEpoch: int64,
    incarnationId: uuid,
    rack: nullableString,
    endpoints: array(struct({ listener: string, host: string, port: int32 })),
    directories: array(uuid),
    /** Names the disk that the process holds a lock on. */
    metadataDirectory: since(1, uuid, zeroTopicId),
    /** The levels that the broker knows of each feature. */
    features: since(1, array(struct({ name: string, min: int16, max: int16 })), []),
  }),
  topic: struct({ topicId: uuid, name: string }),
  partition: compactPartition(2, {
    topicId: uuid,
    partition: int32,
    replicas: array(int32),
    /** Parallel to `replicas`: the log directory that holds each. */
    directories: array(uuid),
    isr: array(int32),
    leader: int32,
    leaderEpoch: int32,
    partitionEpoch: int32,
    elr: since(1, array(int32), []),
    lastKnownElr: since(1, array(int32), []),
    /** Before version 1 a cluster had one broker. */
    minIsr: since(1, int32, 1),
    isFlushed: since(1, boolean, true),
    isRecovering: since(1, boolean, false),
    addingReplicas: since(1, array(int32), []),
    removingReplicas: since(1, array(int32), []),
    removedReplicas: since(1, array(int32), []),
  }),
  removeTopic: struct({
    topicId: uuid,
    /** Who has to confirm; null for whoever holds a replica. */
    holders: since(1, nullableArray(int32), null),
  }),
  config: struct({
    resourceType: int16,
    resourceName: string,
    name: string,
    /** Null takes the key away. */
    value: nullableString,
  }),
  producerIds: struct({ nextProducerId: int64 }),
  feature: struct({ name: string, level: int16 }),
  brokerState: struct({
    nodeId: int32,
    brokerEpoch: int64,
    isFenced: boolean,
    isShuttingDown: boolean,
    /** Log directories that failed since the registration. */
    offlineDirectories: array(uuid),
  }),
  unregisterBroker: struct({ nodeId: int32, brokerEpoch: int64 }),
  /** Goes before the `partition` that it explains: data that was acknowledged may be lost. */
  uncleanElection: struct({
    topicId: uuid,
    partition: int32,
    leader: int32,
    leaderEpoch: int32,
    /** An operator asked for it; else the topic's setting allowed it. */
    isCommanded: boolean,
  }),
  deletionConfirmed: struct({
    topicId: uuid,
    /** -1 for all partitions of a deleted topic; else one that the broker is no replica of any more. */
    partition: int32,
    nodeId: int32,
  }),
  /** The first record of a batch: when and why it was decided. */
  change: struct({ timestampMs: int64, cause: string }),
  partitionStates,
}

type Schemas = typeof schemas
type RecordType = keyof Schemas
/** Position in the file format: never reorder. */
const types = Object.keys(schemas) as RecordType[]

/** By type: the level of `naru.version` from which each of its versions is written. */
const levels: { readonly [T in RecordType]: readonly number[] } = {
  cluster: [0],
  broker: [0, 1],
  topic: [0],
  partition: [0, 1, 2],
  removeTopic: [0, 1],
  config: [0],
  producerIds: [0],
  feature: [0],
  brokerState: [1],
  unregisterBroker: [1],
  uncleanElection: [1],
  deletionConfirmed: [1],
  change: [1],
  partitionStates: [2],
}

/** The newest level of `naru.version` that has records. */
export const recordLevel = 2
/** The level that `partitionStates` and short `partition` records came with. */
export const statesLevel = 2

export type MetadataRecord = {
  [T in RecordType]: { readonly type: T } & ReadonlyDeep<ValueOf<Schemas[T]>>
}[RecordType]

export type RecordOf<T extends RecordType> = Extract<MetadataRecord, { type: T }>

/** By type and version. */
const codecs = types.map((type) =>
  levels[type].map((_, version) => resolve(schemas[type] as Type<unknown>, version)),
)

function resolve(type: Type<unknown>, version: number): Codec<object> {
  const codec = type.resolve({ version, isFlexible: true })
  if ('absent' in codec) throw new TypeError('A metadata record is a struct')
  return codec as Codec<object>
}

interface Written {
  readonly index: number
  readonly version: number
  readonly codec: Codec<object>
}

/** Encodes `count` records one by one. `level`: of `naru.version`. What it cannot express must not have been decided. */
export class MetadataRecordsWriter {
  readonly #writer = new ByteWriter(256)
  readonly #level: number
  readonly #known = new Map<RecordType, Written>()
  #missing: number

  constructor(count: number, level = recordLevel) {
    this.#missing = count
    this.#level = level
    this.#writer.unsignedVarint(count)
  }

  add(record: MetadataRecord): void {
    const { type } = record
    const written = this.#known.get(type) ?? writtenAt(type, this.#level)
    this.#known.set(type, written)
    this.#writer.unsignedVarint(written.index)
    this.#writer.unsignedVarint(written.version)
    written.codec.write(this.#writer, record)
    this.#missing--
  }

  finish(): Buffer {
    assert(this.#missing === 0, `${this.#missing} records are missing`)
    return Buffer.concat(this.#writer.finishChunks())
  }
}

export function encodeMetadataRecords(records: readonly MetadataRecord[], level?: number): Buffer {
  const writer = new MetadataRecordsWriter(records.length, level)
  for (const record of records) writer.add(record)
  return writer.finish()
}

function writtenAt(type: RecordType, level: number): Written {
  const index = types.indexOf(type)
  const version = levels[type].findLastIndex((from) => from <= level)
  assert(version >= 0, `naru.version ${level} has no record ${type}`)
  return { index, version, codec: codecs[index]?.[version] as Codec<object> }
}

/** Throws DecodeError when the bytes are damaged or of a newer version. */
export function decodeMetadataRecords(bytes: Buffer): MetadataRecord[] {
  const reader = new ByteReader(bytes)
  const count = reader.unsignedVarint()
  const records: MetadataRecord[] = []
  for (let i = 0; i < count; i++) {
    const index = reader.unsignedVarint()
    const version = reader.unsignedVarint()
    const type = types[index]
    const codec = codecs[index]?.[version]
    if (type === undefined || codec === undefined) {
      throw new DecodeError(`Metadata record ${type ?? 'of unknown type'} has version ${version}`)
    }
    // The codec has just made it: a copy of every record would be a third of the time.
    records.push(Object.assign(codec.read(reader), { type }) as MetadataRecord)
  }
  if (reader.remaining > 0) throw new DecodeError('Bytes follow the metadata records')
  return records
}
