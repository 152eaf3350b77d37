/** How far the logs of a partition's replicas go, as far as their brokers answer: what an unclean election chooses by. */
import { coder, type MetadataRuntime } from '@naru/consensus'
import type { Candidate, PartitionImage } from '@naru/metadata'
import { int32, int64, struct, uuid } from '@naru/protocol'
import { storageError } from './partition-host.ts'
import type { Partitions } from './partitions.ts'

export type LogEnds = (partition: PartitionImage) => Promise<readonly Candidate[]>

/** What one broker asks another. */
export const logEndOperation = 'logEnd'
const answerMs = 2_000

const question = coder(struct({ topicId: uuid, partition: int32 }))
const answer = coder(struct({ brokerEpoch: int64, lastEpoch: int32, logEndOffset: int64 }))

export interface ReplicaLogEndsOptions {
  readonly metadata: Pick<MetadataRuntime, 'askBroker' | 'membership'>
  readonly partitions: Pick<Partitions, 'get' | 'topicNamed'>
}

export class ReplicaLogEnds {
  readonly #options: ReplicaLogEndsOptions

  constructor(options: ReplicaLogEndsOptions) {
    this.#options = options
  }

  /** Asks all replicas; those that do not answer in time are left out. */
  async of({ topicId, partition, replicas }: PartitionImage): Promise<readonly Candidate[]> {
    const payload = question.encode({ topicId, partition })
    const request = { operation: logEndOperation, payload, timeoutMs: answerMs }
    const answers = await Promise.all(
      replicas.map(async (nodeId) => {
        const bytes = await this.#options.metadata.askBroker(nodeId, request)
        return bytes === undefined ? undefined : { nodeId, ...answer.decode(bytes) }
      }),
    )
    return answers.filter((each) => each !== undefined && each.brokerEpoch >= 0n) as Candidate[]
  }

  /** Answers another broker, or this one; with an epoch of -1 where nothing can be said of a replica. */
  async answer(payload: Buffer): Promise<Buffer> {
    const { topicId, partition } = question.decode(payload)
    const { partitions, metadata } = this.#options
    const name = partitions.topicNamed(topicId)
    const host = name === undefined ? undefined : partitions.get(name, partition)
    const unknown = { brokerEpoch: -1n, lastEpoch: -1, logEndOffset: -1n }
    const brokerEpoch = metadata.membership.brokerEpoch ?? -1n
    try {
      return answer.encode(host === undefined ? unknown : { brokerEpoch, ...(await host.logEnd()) })
    } catch (error) {
      storageError(error)
      return answer.encode(unknown)
    }
  }
}
