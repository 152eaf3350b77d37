/**
 * The records of the metadata log: the only way in which the cluster's metadata changes. Framed by type and version, in the
 * flexible encoding of the protocol, so that later versions can add fields.
 */
import { ByteReader, ByteWriter, DecodeError } from '@naru/base'
import {
  array,
  type Codec,
  int16,
  int32,
  int64,
  nullableString,
  string,
  struct,
  type Type,
  uuid,
  type ValueOf,
} from '@naru/protocol'

const schemas = {
  cluster: struct({ clusterId: string }),
  broker: struct({
    nodeId: int32,
    brokerEpoch: int64,
    incarnationId: uuid,
    rack: nullableString,
    endpoints: array(struct({ listener: string, host: string, port: int32 })),
    directories: array(uuid),
  }),
  topic: struct({ topicId: uuid, name: string }),
  partition: struct({
    topicId: uuid,
    partition: int32,
    replicas: array(int32),
    /** Parallel to `replicas`: the log directory that holds each. */
    directories: array(uuid),
    isr: array(int32),
    leader: int32,
    leaderEpoch: int32,
    partitionEpoch: int32,
  }),
  removeTopic: struct({ topicId: uuid }),
  config: struct({
    resourceType: int16,
    resourceName: string,
    name: string,
    /** Null takes the key away. */
    value: nullableString,
  }),
  producerIds: struct({ nextProducerId: int64 }),
  feature: struct({ name: string, level: int16 }),
}

type Schemas = typeof schemas
/** Position in the file format: never reorder. */
const types = Object.keys(schemas) as (keyof Schemas)[]

export type MetadataRecord = {
  [T in keyof Schemas]: { readonly type: T } & Readonly<ValueOf<Schemas[T]>>
}[keyof Schemas]

export type RecordOf<T extends MetadataRecord['type']> = Extract<MetadataRecord, { type: T }>

const version = 0
const codecs = types.map((type) => resolve(schemas[type] as Type<unknown>))

function resolve(type: Type<unknown>): Codec<unknown> {
  const codec = type.resolve({ version, isFlexible: true })
  if ('absent' in codec) throw new TypeError('A metadata record is a struct')
  return codec
}

export function encodeMetadataRecords(records: readonly MetadataRecord[]): Buffer {
  const writer = new ByteWriter(256)
  writer.unsignedVarint(records.length)
  for (const record of records) {
    const index = types.indexOf(record.type)
    writer.unsignedVarint(index)
    writer.unsignedVarint(version)
    ;(codecs[index] as Codec<unknown>).write(writer, record)
  }
  return Buffer.concat(writer.finishChunks())
}

/** Throws DecodeError when the bytes are damaged or of a newer version. */
export function decodeMetadataRecords(bytes: Buffer): MetadataRecord[] {
  const reader = new ByteReader(bytes)
  const count = reader.unsignedVarint()
  const records: MetadataRecord[] = []
  for (let i = 0; i < count; i++) {
    const type = types[reader.unsignedVarint()]
    const found = reader.unsignedVarint()
    if (type === undefined || found !== version) {
      throw new DecodeError(`Metadata record ${type ?? 'of unknown type'} has version ${found}`)
    }
    const value = (codecs[types.indexOf(type)] as Codec<object>).read(reader)
    records.push({ type, ...value } as MetadataRecord)
  }
  if (reader.remaining > 0) throw new DecodeError('Bytes follow the metadata records')
  return records
}
