import { kafkaErrors } from '@naru/model'
import { apis } from '@naru/protocol'
import type { Cluster } from './cluster.ts'
import type { Connection } from './connection.ts'
import { checkAnswer, NaruError } from './errors.ts'

/** Timestamps with a meaning of their own. */
const endTimestamp = -1n
const startTimestamp = -2n

export interface TopicPartitions {
  readonly topic: string
  readonly partitions: readonly number[]
}

/** Where to begin: an offset, or a time, or an end of the log; a negative number counts back from the end. */
export type Position =
  | bigint
  | 'earliest'
  | 'latest'
  | { readonly timestamp: bigint }
  | { readonly afterStart: bigint }

/** The offset that a position means in each partition: one or two requests to each leader. */
export async function resolvePosition(
  cluster: Cluster,
  where: TopicPartitions,
  position: Position,
): Promise<Map<number, bigint>> {
  if (position === 'earliest') return listOffsets(cluster, where, startTimestamp)
  if (position === 'latest') return listOffsets(cluster, where, endTimestamp)
  if (typeof position === 'bigint' && position >= 0n) {
    return new Map(where.partitions.map((partition) => [partition, position]))
  }
  const ends = await listOffsets(cluster, where, endTimestamp)
  if (typeof position === 'object' && 'timestamp' in position) {
    const found = await listOffsets(cluster, where, position.timestamp)
    return mapOffsets(found, (offset, partition) => (offset < 0n ? ends.get(partition) : offset))
  }
  const starts = await listOffsets(cluster, where, startTimestamp)
  return mapOffsets(starts, (start, partition) => {
    const end = ends.get(partition) ?? start
    const wanted = typeof position === 'bigint' ? end + position : start + position.afterStart
    return clamp(wanted, start, end)
  })
}

/** First and next offset of a partition. */
export interface OffsetBounds {
  readonly start: bigint
  readonly end: bigint
}

export async function offsetBounds(
  cluster: Cluster,
  where: TopicPartitions,
): Promise<Map<number, OffsetBounds>> {
  return bounded(
    await listOffsets(cluster, where, startTimestamp),
    await listOffsets(cluster, where, endTimestamp),
  )
}

/**
 * The same of those partitions that have a leader: who has died meanwhile leads nothing any more as soon as the cluster has noticed, and
 * is not waited for. `unreached`: why some are missing whose leader did not answer in time.
 */
export async function knownOffsetBounds(
  cluster: Cluster,
  { topic, partitions: wanted }: TopicPartitions,
): Promise<{ bounds: Map<number, OffsetBounds>; unreached: NaruError | undefined }> {
  const bounds = new Map<number, OffsetBounds>()
  const ask = async (leader: number, partitions: readonly number[]) => {
    const asked = [{ connection: await cluster.broker(leader), partitions }]
    const starts = await askOffsets(topic, asked, startTimestamp)
    const ends = await askOffsets(topic, asked, endTimestamp)
    for (const [partition, found] of bounded(starts, ends)) bounds.set(partition, found)
  }
  try {
    await cluster.retry(async () => {
      const view = await cluster.topic(topic, { isStale: true })
      const left = view.partitions.filter(
        ({ leader, partition }) =>
          leader >= 0 && wanted.includes(partition) && !bounds.has(partition),
      )
      const byLeader = Map.groupBy(left, ({ leader }) => leader)
      const asking = [...byLeader].map(([leader, led]) => {
        const numbers = led.map(({ partition }) => partition)
        return cluster.inGoodTime(ask(leader, numbers), `broker ${leader} did not answer`)
      })
      const failed = (await Promise.allSettled(asking)).find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
    })
    return { bounds, unreached: undefined }
  } catch (error) {
    if (!(error instanceof NaruError) || !error.isRetriable) throw error
    return { bounds, unreached: error }
  }
}

function bounded(
  starts: ReadonlyMap<number, bigint>,
  ends: ReadonlyMap<number, bigint>,
): Map<number, OffsetBounds> {
  return new Map([...starts].map(([key, start]) => [key, { start, end: ends.get(key) ?? start }]))
}

export function clamp(offset: bigint, start: bigint, end: bigint): bigint {
  if (offset < start) return start
  return offset > end ? end : offset
}

function mapOffsets(
  offsets: ReadonlyMap<number, bigint>,
  map: (offset: bigint, partition: number) => bigint | undefined,
): Map<number, bigint> {
  return new Map([...offsets].map(([key, offset]) => [key, map(offset, key) ?? offset]))
}

/** An offset of each partition by timestamp, -1n where no record is that young. */
async function listOffsets(
  cluster: Cluster,
  where: TopicPartitions,
  timestamp: bigint,
): Promise<Map<number, bigint>> {
  return cluster.retry(async (tries) => {
    const leaders = await cluster.leaders(where, { isStale: tries > 0 })
    return askOffsets(where.topic, leaders, timestamp)
  })
}

/** Asks each leader for those that it leads. */
async function askOffsets(
  topic: string,
  leaders: readonly { readonly connection: Connection; readonly partitions: readonly number[] }[],
  timestamp: bigint,
): Promise<Map<number, bigint>> {
  const answers = await Promise.all(
    leaders.map(async ({ connection, partitions }) => {
      const asked = partitions.map((partitionIndex) => {
        return { partitionIndex, currentLeaderEpoch: -1, timestamp }
      })
      const answer = await connection.request(apis.listOffsets, {
        replicaId: -1,
        isolationLevel: 0,
        topics: [{ name: topic, partitions: asked }],
        timeoutMs: 30_000,
      })
      const found = new Map(answer.topics[0]?.partitions.map((p) => [p.partitionIndex, p]))
      return partitions.map((partition): [number, bigint] => {
        const { errorCode, offset } = found.get(partition) ?? unanswered
        const what = `find an offset of ${topic}/${partition}`
        checkAnswer(errorCode, what, { at: connection.address })
        return [partition, offset]
      })
    }),
  )
  return new Map(answers.flat())
}

const unanswered = { errorCode: kafkaErrors.UNKNOWN_SERVER_ERROR.code, offset: -1n }
