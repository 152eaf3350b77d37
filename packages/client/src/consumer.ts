/** Reads assigned partitions as an async iterator. Bytes are fetched when the loop asks for them: a slow reader holds nothing. */
import { batchesOf, isControl, readBatchHeader, recordsOf, type StoredRecord } from '@naru/records'
import type { Cluster } from './cluster.ts'
import { type Cursor, fetchAll } from './fetches.ts'
import { clamp, offsetBounds, type Position, resolvePosition } from './offsets.ts'
import { ReadReplicas } from './read-replicas.ts'

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
  /** Where the reader is, as `broker.rack` names it: a cluster that lets followers serve has it read from the nearest (KIP-392). */
  readonly rack?: string
  /** How long such a follower is read from before the leader is asked again, in milliseconds; five minutes when not given. */
  readonly replicaMaxAgeMs?: number
}

export async function* consume(
  cluster: Cluster,
  topic: string,
  options: ConsumeOptions,
): AsyncGenerator<ConsumedRecord> {
  const { signal, rack = '', isReadCommitted = false } = options
  const replicas = new ReadReplicas(cluster.clock, options.replicaMaxAgeMs)
  const reading = { topic, replicas, rack, isReadCommitted }
  const cursors = await unlessAborted(cursorsOf(cluster, topic, options), signal)
  while (cursors !== undefined) {
    const open = cursors.filter(({ offset, end }) => end === undefined || offset < end)
    if (open.length === 0) return
    const fetched = await unlessAborted(fetchAll(cluster, open, reading), signal)
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
