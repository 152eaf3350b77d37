import { invalidTopicName, type KafkaError, kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type ResponseOf } from '@naru/protocol'
import { PartitionHost, storageError } from '@naru/services'
import type { Ports } from '../ports.ts'

type Topics = ResponseOf<typeof apis.describeProducers>['topics']
type Answered = Topics[number]['partitions'][number]

export function describeProducers({ partitions }: Pick<Ports, 'partitions'>) {
  return defineHandler(apis.describeProducers, async (request) => {
    const topics: Topics = []
    for (const { name, partitionIndexes } of request.topics) {
      const answered: Answered[] = []
      for (const partitionIndex of partitionIndexes) {
        const host = partitions.leading(name, partitionIndex)
        answered.push(
          !(host instanceof PartitionHost) && invalidTopicName(name) !== undefined
            ? refused(partitionIndex, kafkaErrors.INVALID_TOPIC_EXCEPTION)
            : await describe(host, partitionIndex),
        )
      }
      topics.push({ name, partitions: answered })
    }
    return { throttleTimeMs: 0, topics }
  })
}

async function describe(
  host: PartitionHost | KafkaError,
  partitionIndex: number,
): Promise<Answered> {
  if (!(host instanceof PartitionHost)) return refused(partitionIndex, host)
  try {
    const producers = await host.producers()
    const activeProducers = [...producers.entries()].map((entry) => ({
      producerId: entry.producerId,
      producerEpoch: entry.epoch,
      lastSequence: entry.batches.at(-1)?.lastSequence ?? -1,
      lastTimestamp: entry.lastTimestamp,
      coordinatorEpoch: -1,
      currentTxnStartOffset: -1n,
    }))
    return {
      partitionIndex,
      errorCode: kafkaErrors.NONE.code,
      errorMessage: null,
      activeProducers,
    }
  } catch (error) {
    return refused(partitionIndex, storageError(error))
  }
}

function refused(partitionIndex: number, error: KafkaError): Answered {
  const { code: errorCode, description: errorMessage } = error
  return { partitionIndex, errorCode, errorMessage, activeProducers: [] }
}
