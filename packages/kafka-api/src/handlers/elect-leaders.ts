import { isRefusal } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import { defineHandler } from '@naru/network'
import { apis, type RequestOf, type ResponseOf } from '@naru/protocol'
import type { PartitionOutcome } from '@naru/services'
import { outcomeOf } from '../errors.ts'
import type { Ports } from '../ports.ts'
import { timeLeft } from '../time-left.ts'

type Asked = NonNullable<RequestOf<typeof apis.electLeaders>['topicPartitions']>
type Response = ResponseOf<typeof apis.electLeaders>
type Outcome = ReturnType<typeof outcomeOf>

const kinds = ['preferred', 'unclean'] as const

export function electLeaders({
  metadata,
  partitionAdmin,
  clock,
}: Pick<Ports, 'metadata' | 'partitionAdmin' | 'clock'>) {
  return defineHandler(apis.electLeaders, async (request) => {
    const { electionType, topicPartitions: asked, timeoutMs } = request
    const kind = kinds[electionType]
    if (kind === undefined) {
      const message = `There is no kind of election ${electionType}`
      return failed(asked, outcomeOf({ error: kafkaErrors.INVALID_REQUEST, message }))
    }
    const named = asked?.flatMap(({ topic, partitions }) =>
      partitions.map((partition) => ({ topic, partition })),
    )
    const outcomes = await partitionAdmin.elect(kind, named ?? null, timeLeft(clock, timeoutMs))
    if (isRefusal(outcomes)) return failed(asked, outcomeOf(outcomes))
    if (asked === null) return answered(resultsByTopic([...metadata.image.topics.keys()], outcomes))
    let next = 0
    return answered(results(asked, () => outcomeOf(outcomes[next++]?.refusal)))
  })
}

function answered(replicaElectionResults: Response['replicaElectionResults']): Response {
  return { throttleTimeMs: 0, errorCode: kafkaErrors.NONE.code, replicaElectionResults }
}

/** As a whole, which clients of version 0 see at each partition only. */
function failed(asked: Asked | null, outcome: Outcome): Response {
  return { ...answered(results(asked ?? [], () => outcome)), errorCode: outcome.errorCode }
}

function results(asked: Asked, outcomeOfNext: () => Outcome): Response['replicaElectionResults'] {
  return asked.map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map((partitionId) => ({ partitionId, ...outcomeOfNext() })),
  }))
}

/** Who asks about all hears of every topic, also of those that had nothing to elect. */
function resultsByTopic(
  topics: readonly string[],
  outcomes: readonly PartitionOutcome[],
): Response['replicaElectionResults'] {
  const byTopic = Map.groupBy(outcomes, ({ topic }) => topic)
  return topics.map((topic) => ({
    topic,
    partitionResult: (byTopic.get(topic) ?? []).map(({ partition, refusal }) => {
      return { partitionId: partition, ...outcomeOf(refusal) }
    }),
  }))
}
