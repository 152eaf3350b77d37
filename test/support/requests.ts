/** Requests of the Kafka protocol with what is usual filled in, and batches that no client would make. */
import { crc32c } from '@naru/base'
import { zeroTopicId } from '@naru/model'
import type { apis, RequestOf } from '@naru/protocol'
import { type BatchOptions, encodeBatch, type Record } from '@naru/records'

type Apis = typeof apis

/** An hour before the tests: the same in every broker, and long past. */
export const baseMs = BigInt(Date.now() - 3_600_000)

export function record(value: string | null, fields: Partial<Record> = {}): Record {
  const bytes = value === null ? null : Buffer.from(value)
  return { key: null, value: bytes, headers: [], timestamp: baseMs, ...fields }
}

/** A batch of records with these values, one millisecond apart. */
export function batch(values: readonly string[], options: BatchOptions = {}): Buffer {
  const records = values.map((value, index) => record(value, { timestamp: baseMs + BigInt(index) }))
  return encodeBatch(records, options)
}

/** A batch that was tampered with, its checksum right again. */
export function changed(bytes: Buffer, change: (bytes: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes)
  change(copy)
  copy.writeUInt32BE(crc32c(copy.subarray(21)), 17)
  return copy
}

type Metadata = RequestOf<Apis['metadata']>

export function metadata(
  names: readonly string[] | null,
  fields: Partial<Metadata> = {},
): Metadata {
  return {
    topics: names === null ? null : names.map((name) => ({ name, topicId: zeroTopicId })),
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
    ...fields,
  }
}

type Create = RequestOf<Apis['createTopics']>
type NewTopic = Create['topics'][number]

export function newTopic(
  name: string,
  {
    configs = {},
    ...fields
  }: Partial<Omit<NewTopic, 'configs'>> & {
    configs?: { [key: string]: string | null }
  } = {},
): NewTopic {
  const given = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
  return {
    name,
    numPartitions: 1,
    replicationFactor: 1,
    assignments: [],
    ...fields,
    configs: given,
  }
}

export function create(topics: readonly NewTopic[], validateOnly = false): Create {
  return { topics: [...topics], timeoutMs: 10_000, validateOnly }
}

type Produce = RequestOf<Apis['produce']>

export interface Written {
  readonly topic?: string
  readonly topicId?: string
  readonly partition?: number
  readonly records: Buffer | null
}

export function produce(
  written: readonly Written[],
  {
    acks = -1,
    transactionalId = null,
    timeoutMs = 10_000,
  }: { acks?: number; transactionalId?: string | null; timeoutMs?: number } = {},
): Produce {
  const topicData: Produce['topicData'] = []
  for (const { topic = '', topicId = zeroTopicId, partition = 0, records } of written) {
    const last = topicData.at(-1)
    const isSame = last?.name === topic && last.topicId === topicId
    const of = isSame ? last : { name: topic, topicId, partitionData: [] }
    if (!isSame) topicData.push(of)
    of.partitionData.push({ index: partition, records })
  }
  return { transactionalId, acks, timeoutMs, topicData }
}

type Fetch = RequestOf<Apis['fetch']>
type FetchPartition = Fetch['topics'][number]['partitions'][number]

export interface Read extends Partial<FetchPartition> {
  readonly topic?: string
  readonly topicId?: string
}

export function fetch(reads: readonly Read[], fields: Partial<Fetch> = {}): Fetch {
  const topics: Fetch['topics'] = []
  for (const { topic = '', topicId = zeroTopicId, ...partition } of reads) {
    const last = topics.at(-1)
    const isSame = last?.topic === topic && last.topicId === topicId
    const of = isSame ? last : { topic, topicId, partitions: [] }
    if (!isSame) topics.push(of)
    of.partitions.push({ ...wholePartition, ...partition })
  }
  return { ...nothingWaits, topics, ...fields }
}

const wholePartition: FetchPartition = {
  partition: 0,
  currentLeaderEpoch: -1,
  fetchOffset: 0n,
  lastFetchedEpoch: -1,
  logStartOffset: -1n,
  partitionMaxBytes: 1 << 20,
  replicaDirectoryId: zeroTopicId,
  highWatermark: 0x7fffffffffffffffn,
}

const nothingWaits = {
  clusterId: null,
  replicaState: null,
  replicaId: -1,
  maxWaitMs: 0,
  minBytes: 1,
  maxBytes: 50 << 20,
  isolationLevel: 0,
  sessionId: 0,
  sessionEpoch: -1,
  forgottenTopicsData: [],
  rackId: '',
} satisfies Partial<Fetch>

type ListOffsets = RequestOf<Apis['listOffsets']>
type AskedOffset = ListOffsets['topics'][number]['partitions'][number]

export function listOffsets(
  topic: string,
  asked: readonly (Partial<AskedOffset> & { timestamp: bigint })[],
  isolationLevel = 0,
): ListOffsets {
  const partitions = asked.map((each) => ({ partitionIndex: 0, currentLeaderEpoch: -1, ...each }))
  return { replicaId: -1, isolationLevel, topics: [{ name: topic, partitions }], timeoutMs: 1_000 }
}

type Describe = RequestOf<Apis['describeConfigs']>

export function describeConfigs(
  resources: readonly { type: number; name: string; keys?: string[] | null }[],
  { includeSynonyms = false, includeDocumentation = false } = {},
): Describe {
  return {
    resources: resources.map(({ type, name, keys = null }) => ({
      resourceType: type,
      resourceName: name,
      configurationKeys: keys,
    })),
    includeSynonyms,
    includeDocumentation,
  }
}

type Alter = RequestOf<Apis['incrementalAlterConfigs']>

export const operations = { set: 0, delete: 1, append: 2, subtract: 3 } as const

/** Changes of one resource: a key, an operation, a value. */
export function alter(
  name: string,
  changes: readonly (readonly [key: string, operation: number, value: string | null])[],
  { type = 2, validateOnly = false } = {},
): Alter {
  const configs = changes.map(([key, configOperation, value]) => ({
    name: key,
    configOperation,
    value,
  }))
  return { resources: [{ resourceType: type, resourceName: name, configs }], validateOnly }
}
