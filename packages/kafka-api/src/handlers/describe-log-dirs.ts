import type { LogDirectory } from '@naru/log'
import { topicPartitionOfDirectory } from '@naru/log'
import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import type { Ports } from '../ports.ts'

type Wanted = RequestOf<typeof apis.describeLogDirs>['topics']
type Result = ResponseOf<typeof apis.describeLogDirs>['results'][number]

export function describeLogDirs({
  directories,
  diskSpace,
}: Pick<Ports, 'directories' | 'diskSpace'>) {
  return defineHandler(apis.describeLogDirs, async (request) => {
    const results: Result[] = []
    for (const directory of directories) {
      results.push(await describe(directory, request.topics, diskSpace))
    }
    return { throttleTimeMs: 0, errorCode: kafkaErrors.NONE.code, results }
  })
}

async function describe(
  directory: LogDirectory,
  wanted: Wanted,
  diskSpace: Ports['diskSpace'],
): Promise<Result> {
  const logDir = directory.path
  if (directory.offline !== undefined) {
    const errorCode = kafkaErrors.KAFKA_STORAGE_ERROR.code
    return { errorCode, logDir, topics: [], totalBytes: -1n, usableBytes: -1n }
  }
  const topics = new Map<string, Result['topics'][number]>()
  for (const log of directory.logs.values()) {
    const named = topicPartitionOfDirectory(log.name)
    if (named === undefined || !isWanted(wanted, named)) continue
    const topic = topics.get(named.topic) ?? { name: named.topic, partitions: [] }
    topics.set(named.topic, topic)
    topic.partitions.push({
      partitionIndex: named.partition,
      partitionSize: BigInt(log.sizeBytes),
      offsetLag: 0n,
      isFutureKey: false,
    })
  }
  const { totalBytes, usableBytes } = await diskSpace(logDir)
  return {
    errorCode: kafkaErrors.NONE.code,
    logDir,
    topics: [...topics.values()],
    totalBytes: BigInt(totalBytes),
    usableBytes: BigInt(usableBytes),
  }
}

function isWanted(wanted: Wanted, named: { topic: string; partition: number }): boolean {
  if (wanted === null) return true
  return wanted.some(
    ({ topic, partitions }) => topic === named.topic && partitions.includes(named.partition),
  )
}
