import { type KafkaError, kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type ResponseOf } from '@naru/protocol'
import { PartitionHost, storageError } from '@naru/services'
import type { Ports } from '../ports.ts'

type Topics = ResponseOf<typeof apis.deleteRecords>['topics']
type Answered = Topics[number]['partitions'][number]

export function deleteRecords({ partitions }: Pick<Ports, 'partitions'>) {
  return defineHandler(apis.deleteRecords, async (request) => {
    const topics: Topics = []
    for (const { name, partitions: wanted } of request.topics) {
      const answered: Answered[] = []
      for (const { partitionIndex, offset } of wanted) {
        const host = partitions.leading(name, partitionIndex)
        answered.push({ partitionIndex, ...(await remove(host, offset)) })
      }
      topics.push({ name, partitions: answered })
    }
    return { throttleTimeMs: 0, topics }
  })
}

async function remove(
  host: PartitionHost | KafkaError,
  offset: bigint,
): Promise<Omit<Answered, 'partitionIndex'>> {
  if (!(host instanceof PartitionHost)) return refused(host)
  try {
    const start = await host.deleteRecords(offset)
    return typeof start === 'bigint'
      ? { lowWatermark: start, errorCode: kafkaErrors.NONE.code }
      : refused(start)
  } catch (error) {
    return refused(storageError(error))
  }
}

function refused({ code }: { code: number }): Omit<Answered, 'partitionIndex'> {
  return { lowWatermark: -1n, errorCode: code }
}
