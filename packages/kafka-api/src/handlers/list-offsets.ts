import { type KafkaError, kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import { type FoundOffset, PartitionHost, storageError } from '@naru/services'
import type { Ports } from '../ports.ts'

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
        answered.push(await answer(host, asked, { apiVersion, isolation }))
      }
      topics.push({ name: topic.name, partitions: answered })
    }
    return { throttleTimeMs: 0, topics }
  })
}

async function answer(
  host: PartitionHost | KafkaError,
  asked: Asked,
  options: { apiVersion: number; isolation: number },
): Promise<Answered> {
  const { partitionIndex } = asked
  if (!(host instanceof PartitionHost)) return refused(partitionIndex, host)
  if (!host.isOnline) return refused(partitionIndex, kafkaErrors.KAFKA_STORAGE_ERROR)
  if (asked.timestamp < minTimestampOf(options.apiVersion)) {
    return refused(partitionIndex, kafkaErrors.UNSUPPORTED_VERSION)
  }
  try {
    const leader = await host.open()
    const fenced = leader.checkEpoch(asked.currentLeaderEpoch)
    if (fenced !== undefined) return refused(partitionIndex, fenced)
    const found = await find(host, asked.timestamp, options.isolation)
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
  timestamp: bigint,
  isolation: number,
): Promise<FoundOffset> {
  const leader = await host.open()
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
      return host.offsetOfMaxTimestamp()
    case latestTiered:
    case earliestPendingUpload:
      return notFound
    default:
      return host.offsetForTimestamp(timestamp, end)
  }
}

/** Each special timestamp came with a version of its own. */
function minTimestampOf(apiVersion: number): bigint {
  if (apiVersion >= 11) return earliestPendingUpload
  if (apiVersion >= 9) return latestTiered
  if (apiVersion >= 8) return earliestLocal
  return apiVersion >= 7 ? maxTimestamp : earliest
}
