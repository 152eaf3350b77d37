/** How far the logs of partitions' replicas go, as far as their brokers answer: what an unclean election chooses by. */
import { DecodeError } from '@naru/base'
import { coder, type MetadataRuntime } from '@naru/consensus'
import type { AskedReplicas, Candidate } from '@naru/metadata'
import { type NodeId, type TopicId, topicPartitionKey } from '@naru/model'
import { array, int32, int64, struct, uuid } from '@naru/protocol'
import type { Partitions } from './partitions.ts'
import { storageError } from './storage-error.ts'

/** What one broker asks another, about many partitions at once. */
export const logEndsOperation = 'logEnds'
const answerMs = 1_000

const question = coder(struct({ partitions: array(struct({ topicId: uuid, partition: int32 })) }))
/** In the order of the question. */
const answer = coder(
  struct({ brokerEpoch: int64, ends: array(struct({ lastEpoch: int32, logEndOffset: int64 })) }),
)

/** Where nothing can be said of a replica. */
const unknown = { lastEpoch: -1, logEndOffset: -1n }

export interface ReplicaLogEndsOptions {
  readonly metadata: Pick<MetadataRuntime, 'askBroker' | 'membership'>
  readonly partitions: Pick<Partitions, 'get' | 'topicNamed'>
}

export class ReplicaLogEnds {
  readonly #options: ReplicaLogEndsOptions

  constructor(options: ReplicaLogEndsOptions) {
    this.#options = options
  }

  /** Asks each broker once for all that it holds of them; those that do not answer in time are left out. */
  async of(partitions: readonly AskedReplicas[]): Promise<Candidate[][]> {
    const byBroker = new Map<NodeId, AskedReplicas[]>()
    for (const asked of partitions) {
      for (const nodeId of asked.replicas) {
        const held = byBroker.get(nodeId) ?? []
        byBroker.set(nodeId, held)
        held.push(asked)
      }
    }
    const found = new Map(partitions.map((asked) => [keyOf(asked), [] as Candidate[]]))
    await Promise.all(
      [...byBroker].map(async ([nodeId, held]) => {
        for (const [at, end] of (await this.#ask(nodeId, held)).entries()) {
          if (end.brokerEpoch < 0n || end.logEndOffset < 0n) continue
          found.get(keyOf(held[at] as AskedReplicas))?.push({ nodeId, ...end })
        }
      }),
    )
    return partitions.map((asked) => found.get(keyOf(asked)) ?? [])
  }

  async #ask(nodeId: NodeId, partitions: readonly AskedReplicas[]) {
    const payload = question.encode({ partitions: [...partitions] })
    const request = { operation: logEndsOperation, payload, timeoutMs: answerMs }
    const bytes = await this.#options.metadata.askBroker(nodeId, request)
    const answered = bytes === undefined ? undefined : understood(bytes)
    if (answered === undefined) return []
    const { brokerEpoch, ends } = answered
    return ends.slice(0, partitions.length).map((end) => ({ brokerEpoch, ...end }))
  }

  /** Answers another broker, or this one. */
  async answer(payload: Buffer): Promise<Buffer> {
    const { partitions } = question.decode(payload)
    // Who is not registered is no candidate, however far it goes.
    const brokerEpoch = this.#options.metadata.membership.brokerEpoch ?? -1n
    const ends = await Promise.all(partitions.map((each) => this.#endOf(each)))
    return answer.encode({ brokerEpoch, ends })
  }

  async #endOf({ topicId, partition }: { topicId: TopicId; partition: number }) {
    const { partitions } = this.#options
    const name = partitions.topicNamed(topicId)
    const host = name === undefined ? undefined : partitions.get(name, partition)
    try {
      return (await host?.logEnd()) ?? unknown
    } catch (error) {
      storageError(error)
      return unknown
    }
  }
}

/** What a broker of another version says, or a broken one, must not end one controller after the other. */
function understood(bytes: Buffer) {
  try {
    return answer.decode(bytes)
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

function keyOf({ topicId, partition }: AskedReplicas): string {
  return topicPartitionKey(topicId, partition)
}
