/** Reads assigned partitions as an async iterator. Bytes are fetched when the loop asks for them: a slow reader holds nothing. */
import { apis, type ResponseOf } from '@naru/protocol'
import { batchesOf, readBatchHeader, recordsOf, type StoredRecord } from '@naru/records'
import type { Cluster } from './cluster.ts'
import { checkAnswer, NaruError } from './errors.ts'

export interface ConsumedRecord extends StoredRecord {
  readonly topic: string
  readonly partition: number
}

/** Where to begin: an offset, or a time, or an end of the log; a negative number counts back from the end. */
export type Position = bigint | 'earliest' | 'latest' | { readonly timestamp: bigint }

export interface ConsumeOptions {
  readonly from: Position
  /** Only these; all partitions of the topic otherwise. */
  readonly partitions?: readonly number[]
  /** Stop at the end that each partition has now. */
  readonly untilEnd?: boolean
  readonly signal?: AbortSignal
  readonly isReadCommitted?: boolean
}

interface Cursor {
  readonly partition: number
  offset: bigint
  /** Exclusive; undefined to follow. */
  readonly end: bigint | undefined
}

type FetchedTopic = ResponseOf<typeof apis.fetch>['responses'][number]

const waitMs = 500
const fetchBytes = 16 << 20
const partitionBytes = 1 << 20

export async function* consume(
  cluster: Cluster,
  topic: string,
  options: ConsumeOptions,
): AsyncGenerator<ConsumedRecord> {
  const view = await cluster.topic(topic)
  const partitions = options.partitions ?? view.partitions.map(({ partition }) => partition)
  const cursors: Cursor[] = []
  for (const partition of partitions) {
    const offset = await resolvePosition(cluster, { topic, partition }, options.from)
    const end =
      options.untilEnd === true ? await listOffset(cluster, { topic, partition }, -1n) : undefined
    cursors.push({ partition, offset, end })
  }
  while (options.signal?.aborted !== true) {
    const open = cursors.filter(({ offset, end }) => end === undefined || offset < end)
    if (open.length === 0) return
    for (const [cursor, bytes] of await fetchAll(cluster, { topic, cursors: open, options })) {
      yield* recordsFrom(topic, cursor, bytes)
    }
  }
}

/** The records of what was fetched, from the cursor on; moves the cursor past each batch. */
function* recordsFrom(topic: string, cursor: Cursor, bytes: Buffer): Generator<ConsumedRecord> {
  for (const batch of batchesOf(bytes)) {
    const header = readBatchHeader(batch)
    for (const record of recordsOf(batch, header)) {
      const isWanted =
        record.offset >= cursor.offset && (cursor.end === undefined || record.offset < cursor.end)
      if (isWanted) yield { ...record, topic, partition: cursor.partition }
    }
    cursor.offset = header.lastOffset + 1n
  }
}

/** Fetches from all leaders at once. */
async function fetchAll(
  cluster: Cluster,
  request: { topic: string; cursors: readonly Cursor[]; options: ConsumeOptions },
): Promise<[Cursor, Buffer][]> {
  const { topic, cursors, options } = request
  return cluster.retry(async (tries) => {
    const view = await cluster.topic(topic, { isStale: tries > 0 })
    const byLeader = Map.groupBy(cursors, ({ partition }) => {
      return view.partitions.find((known) => known.partition === partition)?.leader ?? -1
    })
    const fetches = [...byLeader].map(async ([leader, mine]) => {
      const connection = await cluster.broker(leader)
      const answer = await connection.request(
        apis.fetch,
        fetchRequest({ name: topic, topicId: view.topicId }, mine, options),
        { waitMs },
      )
      checkAnswer(answer.errorCode, `read ${topic}`)
      return answer.responses.flatMap((found) => recordsOfAnswer(topic, found, mine))
    })
    return (await Promise.all(fetches)).flat()
  })
}

function fetchRequest(
  topic: { name: string; topicId: string },
  cursors: readonly Cursor[],
  options: ConsumeOptions,
) {
  const noDirectory = 'AAAAAAAAAAAAAAAAAAAAAA'
  return {
    clusterId: null,
    replicaState: null,
    replicaId: -1,
    maxWaitMs: waitMs,
    minBytes: 1,
    maxBytes: fetchBytes,
    isolationLevel: options.isReadCommitted === true ? 1 : 0,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [
      {
        topic: topic.name,
        topicId: topic.topicId,
        partitions: cursors.map(({ partition, offset }) => ({
          partition,
          currentLeaderEpoch: -1,
          fetchOffset: offset,
          lastFetchedEpoch: -1,
          logStartOffset: -1n,
          partitionMaxBytes: partitionBytes,
          replicaDirectoryId: noDirectory,
          highWatermark: 0x7fffffffffffffffn,
        })),
      },
    ],
    forgottenTopicsData: [],
    rackId: '',
  }
}

function recordsOfAnswer(
  topic: string,
  found: FetchedTopic,
  cursors: readonly Cursor[],
): [Cursor, Buffer][] {
  return found.partitions.map((partition) => {
    const index = partition.partitionIndex
    const cursor = cursors.find((candidate) => candidate.partition === index) as Cursor
    checkAnswer(partition.errorCode, `read ${topic}/${index} at offset ${cursor.offset}`)
    return [cursor, partition.records ?? Buffer.alloc(0)]
  })
}

async function resolvePosition(
  cluster: Cluster,
  where: { topic: string; partition: number },
  from: Position,
): Promise<bigint> {
  if (typeof from === 'bigint') {
    if (from >= 0n) return from
    const [start, end] = [
      await listOffset(cluster, where, -2n),
      await listOffset(cluster, where, -1n),
    ]
    return end + from < start ? start : end + from
  }
  if (from === 'earliest') return listOffset(cluster, where, -2n)
  if (from === 'latest') return listOffset(cluster, where, -1n)
  const found = await listOffset(cluster, where, from.timestamp)
  return found >= 0n ? found : listOffset(cluster, where, -1n)
}

/** An offset by timestamp; -1 the end, -2 the start, -3 the newest record. -1n when no record is that young. */
export async function listOffset(
  cluster: Cluster,
  { topic, partition }: { topic: string; partition: number },
  timestamp: bigint,
): Promise<bigint> {
  return cluster.retry(async (tries) => {
    const connection = await cluster.leader(topic, partition, { isStale: tries > 0 })
    const asked = { partitionIndex: partition, currentLeaderEpoch: -1, timestamp }
    const answer = await connection.request(apis.listOffsets, {
      replicaId: -1,
      isolationLevel: 0,
      topics: [{ name: topic, partitions: [asked] }],
      timeoutMs: 30_000,
    })
    const found = answer.topics[0]?.partitions[0]
    if (found === undefined)
      throw new NaruError('NARU_BROKER', `No answer for ${topic}/${partition}`)
    checkAnswer(found.errorCode, `find an offset of ${topic}/${partition}`)
    return found.offset
  })
}
