/** Reads assigned partitions as an async iterator. Bytes are fetched when the loop asks for them: a slow reader holds nothing. */
import { apis, type ResponseOf } from '@naru/protocol'
import { batchesOf, isControl, readBatchHeader, recordsOf, type StoredRecord } from '@naru/records'
import type { Cluster } from './cluster.ts'
import type { Connection } from './connection.ts'
import { checkAnswer } from './errors.ts'
import { clamp, offsetBounds, type Position, resolvePosition } from './offsets.ts'

export interface ConsumedRecord extends StoredRecord {
  readonly topic: string
  readonly partition: number
}

export interface ConsumeOptions {
  readonly from: Position
  /** Only these; all partitions of the topic otherwise. */
  readonly partitions?: readonly number[]
  /** Stop at the end that each partition has now. */
  readonly untilEnd?: boolean
  /** Stop before this position, and at the end that each partition has now: a range gives what there is of it. */
  readonly until?: Position
  /** Ends the loop at once. */
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

const noDirectory = 'AAAAAAAAAAAAAAAAAAAAAA'
const waitMs = 500
const fetchBytes = 16 << 20
const partitionBytes = 1 << 20

export async function* consume(
  cluster: Cluster,
  topic: string,
  options: ConsumeOptions,
): AsyncGenerator<ConsumedRecord> {
  const { signal } = options
  const cursors = await unlessAborted(cursorsOf(cluster, topic, options), signal)
  while (cursors !== undefined) {
    const open = cursors.filter(({ offset, end }) => end === undefined || offset < end)
    if (open.length === 0) return
    const fetched = await unlessAborted(
      fetchAll(cluster, { topic, cursors: open, options }),
      signal,
    )
    if (fetched === undefined) return
    for (const [cursor, bytes] of fetched) {
      for (const record of recordsFrom(topic, cursor, bytes)) {
        if (signal?.aborted === true) return
        yield record
      }
    }
  }
}

/** What `work` comes to, or undefined at once when the signal is given: what was asked for then ends unheard. */
function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T | undefined> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const stop = () => resolve(undefined)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

async function cursorsOf(
  cluster: Cluster,
  topic: string,
  options: ConsumeOptions,
): Promise<Cursor[]> {
  const all = (await cluster.topic(topic)).partitions.map(({ partition }) => partition)
  const where = { topic, partitions: options.partitions ?? all }
  const from = await resolvePosition(cluster, where, options.from)
  if (options.untilEnd !== true && options.until === undefined) {
    return [...from].map(([partition, offset]) => ({ partition, offset, end: undefined }))
  }
  const bounds = await offsetBounds(cluster, where)
  const until = await resolvePosition(cluster, where, options.until ?? 'latest')
  return [...bounds].map(([partition, { start, end }]) => {
    const offset = from.get(partition) ?? start
    const last = clamp(until.get(partition) ?? end, start, end)
    return {
      partition,
      end: last,
      offset: options.until === undefined ? offset : clamp(offset, start, last),
    }
  })
}

/** The records of what was fetched, from the cursor on; moves the cursor past each batch. */
function* recordsFrom(topic: string, cursor: Cursor, bytes: Buffer): Generator<ConsumedRecord> {
  for (const batch of batchesOf(bytes)) {
    const header = readBatchHeader(batch)
    // The marks that end transactions are no records.
    for (const record of isControl(header.attributes) ? [] : recordsOf(batch, header)) {
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
  const byPartition = new Map(cursors.map((cursor) => [cursor.partition, cursor]))
  return cluster.retry(async (tries) => {
    const where = { topic, partitions: [...byPartition.keys()] }
    const leaders = await cluster.leaders(where, { isStale: tries > 0 })
    const { topicId } = await cluster.topic(topic)
    const fetches = leaders.map(async ({ connection, partitions }) => {
      const mine = partitions.map((partition) => byPartition.get(partition) as Cursor)
      const asked = fetchRequest({ name: topic, topicId }, mine, options)
      const answer = await connection.request(apis.fetch, asked, { waitMs })
      checkAnswer(answer.errorCode, `read ${topic}`, { at: connection.address })
      return answer.responses.flatMap((found) =>
        recordsOfAnswer(found, { topic, connection, byPartition }),
      )
    })
    return (await Promise.all(fetches)).flat()
  })
}

function fetchRequest(
  topic: { name: string; topicId: string },
  cursors: readonly Cursor[],
  options: ConsumeOptions,
) {
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
  found: FetchedTopic,
  asked: { topic: string; connection: Connection; byPartition: ReadonlyMap<number, Cursor> },
): [Cursor, Buffer][] {
  return found.partitions.map((partition) => {
    const cursor = asked.byPartition.get(partition.partitionIndex) as Cursor
    const what = `read ${asked.topic}/${cursor.partition} at offset ${cursor.offset}`
    checkAnswer(partition.errorCode, what, { at: asked.connection.address })
    return [cursor, partition.records ?? Buffer.alloc(0)]
  })
}
