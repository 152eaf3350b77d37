import { type KafkaError, kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import { type FoundOffset, PartitionHost, storageError } from '@naru/services'
import type { Ports } from '../ports.ts'

/** Before clients told how long they wait. */
const defaultTimeoutMs = 30_000

type Asked = RequestOf<typeof apis.listOffsets>['topics'][number]['partitions'][number]
type Answered = ResponseOf<typeof apis.listOffsets>['topics'][number]['partitions'][number]

/** Timestamps with a meaning of their own. */
const latest = -1n
const earliest = -2n
const maxTimestamp = -3n
const earliestLocal = -4n
const latestTiered = -5n
const earliestPendingUpload = -6n

export function listOffsets({ partitions }: Pick<Ports, 'partitions'>) {
  return defineHandler(apis.listOffsets, async (request, { apiVersion }) => {
    const topics: ResponseOf<typeof apis.listOffsets>['topics'] = []
    const { isolationLevel: isolation } = request
    const timeoutMs = request.timeoutMs > 0 ? request.timeoutMs : defaultTimeoutMs
    for (const topic of request.topics) {
      const answered: Answered[] = []
      const wanted = Map.groupBy(topic.partitions, ({ partitionIndex }) => partitionIndex)
      for (const [partitionIndex, [asked, another]] of wanted) {
        if (asked === undefined) continue
        if (another !== undefined) {
          answered.push(refused(partitionIndex, kafkaErrors.INVALID_REQUEST))
          continue
        }
        const host =
          asked.timestamp === latest
            ? partitions.leadingAlone(topic.name, partitionIndex)
            : partitions.leading(topic.name, partitionIndex)
        answered.push(await answer(host, asked, { apiVersion, isolation, timeoutMs }))
      }
      topics.push({ name: topic.name, partitions: answered })
    }
    return { throttleTimeMs: 0, topics }
  })
}

async function answer(
  host: PartitionHost | KafkaError,
  asked: Asked,
  options: { apiVersion: number; isolation: number; timeoutMs: number },
): Promise<Answered> {
  const { partitionIndex } = asked
  if (!(host instanceof PartitionHost)) return refused(partitionIndex, host)
  if (!host.isOnline) return refused(partitionIndex, kafkaErrors.KAFKA_STORAGE_ERROR)
  if (asked.timestamp < minTimestampOf(options.apiVersion)) {
    return refused(partitionIndex, kafkaErrors.UNSUPPORTED_VERSION)
  }
  try {
    const leader = await host.open()
    if (leader === undefined) return refused(partitionIndex, kafkaErrors.NOT_LEADER_OR_FOLLOWER)
    const fenced = leader.checkEpoch(asked.currentLeaderEpoch)
    if (fenced !== undefined) return refused(partitionIndex, fenced)
    if (needsEnd(asked.timestamp) && !leader.isHighWatermarkCurrent) {
      return refused(partitionIndex, notAvailable(options.apiVersion))
    }
    const { isolation, timeoutMs } = options
    const found = await find(host, leader, { timestamp: asked.timestamp, isolation, timeoutMs })
    return { partitionIndex, errorCode: kafkaErrors.NONE.code, ...found }
  } catch (error) {
    return refused(partitionIndex, storageError(error))
  }
}

const notFound = { offset: -1n, timestamp: -1n, leaderEpoch: -1 }

function refused(partitionIndex: number, { code }: { code: number }): Answered {
  return { ...notFound, partitionIndex, errorCode: code }
}

async function find(
  host: PartitionHost,
  leader: NonNullable<PartitionHost['leader']>,
  { timestamp, isolation, timeoutMs }: { timestamp: bigint; isolation: number; timeoutMs: number },
): Promise<FoundOffset> {
  const end = isolation === 1 ? leader.lastStableOffset : leader.highWatermark
  switch (timestamp) {
    case latest:
      return { offset: end, timestamp: -1n, leaderEpoch: leader.leaderEpoch }
    case earliest:
    case earliestLocal: {
      const offset = leader.logStartOffset
      return { offset, timestamp: -1n, leaderEpoch: host.epochOf(offset) }
    }
    case maxTimestamp:
      return host.offsetOfMaxTimestamp(timeoutMs)
    case latestTiered:
    case earliestPendingUpload:
      return notFound
    default:
      return host.offsetForTimestamp(timestamp, end)
  }
}

/** What a new leader cannot tell before it knows how far its predecessors had committed (KIP-207). */
function needsEnd(timestamp: bigint): boolean {
  return timestamp === latest || timestamp === maxTimestamp
}

function notAvailable(apiVersion: number): KafkaError {
  return apiVersion >= 5 ? kafkaErrors.OFFSET_NOT_AVAILABLE : kafkaErrors.LEADER_NOT_AVAILABLE
}

/** Each special timestamp came with a version of its own. */
function minTimestampOf(apiVersion: number): bigint {
  if (apiVersion >= 11) return earliestPendingUpload
  if (apiVersion >= 9) return latestTiered
  if (apiVersion >= 8) return earliestLocal
  return apiVersion >= 7 ? maxTimestamp : earliest
}
