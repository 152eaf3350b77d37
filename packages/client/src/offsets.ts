import { kafkaErrors } from '@naru/model'
import { apis } from '@naru/protocol'
import type { Cluster } from './cluster.ts'
import { checkAnswer } from './errors.ts'

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

/** First and next offset of each partition. */
export async function offsetBounds(
  cluster: Cluster,
  where: TopicPartitions,
): Promise<Map<number, { start: bigint; end: bigint }>> {
  const starts = await listOffsets(cluster, where, startTimestamp)
  const ends = await listOffsets(cluster, where, endTimestamp)
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
    const answers = await Promise.all(
      leaders.map(async ({ connection, partitions }) => {
        const asked = partitions.map((partitionIndex) => {
          return { partitionIndex, currentLeaderEpoch: -1, timestamp }
        })
        const answer = await connection.request(apis.listOffsets, {
          replicaId: -1,
          isolationLevel: 0,
          topics: [{ name: where.topic, partitions: asked }],
          timeoutMs: 30_000,
        })
        const found = new Map(answer.topics[0]?.partitions.map((p) => [p.partitionIndex, p]))
        return partitions.map((partition): [number, bigint] => {
          const { errorCode, offset } = found.get(partition) ?? unanswered
          const what = `find an offset of ${where.topic}/${partition}`
          checkAnswer(errorCode, what, { at: connection.address })
          return [partition, offset]
        })
      }),
    )
    return new Map(answers.flat())
  })
}

const unanswered = { errorCode: kafkaErrors.UNKNOWN_SERVER_ERROR.code, offset: -1n }
