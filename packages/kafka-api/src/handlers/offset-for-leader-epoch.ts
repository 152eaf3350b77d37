import { type KafkaError, kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import { PartitionHost, storageError } from '@naru/services'
import type { Ports } from '../ports.ts'

type Asked = RequestOf<typeof apis.offsetForLeaderEpoch>['topics'][number]['partitions'][number]
type Answered = ResponseOf<typeof apis.offsetForLeaderEpoch>['topics'][number]['partitions'][number]

export function offsetForLeaderEpoch({ partitions }: Pick<Ports, 'partitions'>) {
  return defineHandler(apis.offsetForLeaderEpoch, async (request) => {
    const topics: ResponseOf<typeof apis.offsetForLeaderEpoch>['topics'] = []
    for (const { topic, partitions: wanted } of request.topics) {
      const answered: Answered[] = []
      for (const asked of wanted) {
        answered.push(await answer(partitions.leading(topic, asked.partition), asked))
      }
      topics.push({ topic, partitions: answered })
    }
    return { throttleTimeMs: 0, topics }
  })
}

async function answer(host: PartitionHost | KafkaError, asked: Asked): Promise<Answered> {
  const { partition } = asked
  const refused = ({ code }: { code: number }): Answered => {
    return { errorCode: code, partition, leaderEpoch: -1, endOffset: -1n }
  }
  if (!(host instanceof PartitionHost)) return refused(host)
  try {
    const leader = await host.open()
    if (leader === undefined) return refused(kafkaErrors.NOT_LEADER_OR_FOLLOWER)
    const fenced = leader.checkEpoch(asked.currentLeaderEpoch)
    if (fenced !== undefined) return refused(fenced)
    const { epoch, endOffset } = host.endOfEpoch(asked.leaderEpoch)
    return { errorCode: kafkaErrors.NONE.code, partition, leaderEpoch: epoch, endOffset }
  } catch (error) {
    return refused(storageError(error))
  }
}
