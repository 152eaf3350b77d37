/** Partitions: who leads and is in sync, elections, reassignments, and why all that is as it is. */
import { kafkaErrors } from '@naru/model'
import { apis, type ResponseOf } from '@naru/protocol'
import type { Cluster } from './cluster.ts'
import { checkAnswer, NaruError } from './errors.ts'
import { callAnyBroker } from './grpc-broker.ts'
import {
  type ExplainAnswer,
  explanationIn,
  type PartitionExplanation,
} from './partition-explanation.ts'
import {
  byPartition,
  type DescribedPartition,
  describedPartitions,
  type NamedPartition,
  type PartitionOutcome,
  type PartitionView,
  shownPartitions,
} from './partition-views.ts'

const topicType = 2
const minIsrKey = 'min.insync.replicas'
/** Of topics in one request for their configuration, and of partitions in one answer. */
const topicsAtOnce = 500
const partitionsAtOnce = 2_000
const electionTypes = { preferred: 0, unclean: 1 } as const

type Page = ResponseOf<typeof apis.describeTopicPartitions>

export class PartitionAdmin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  /** Of the topics of these names that exist, or of all. In order. */
  async list(topics: readonly string[] | null = null): Promise<PartitionView[]> {
    const described = await this.#describe(topics)
    const [minIsrs, moving] = await Promise.all([
      this.#minIsrs([...new Set(described.map(({ topic }) => topic))]),
      this.#reassignments(topics === null ? null : described).catch(unlessUnsupported),
    ])
    return described.sort(byPartition).map((partition) => {
      const { topic, replicas } = partition
      const { adding, removing } = moving.get(keyOf(partition)) ?? { adding: [], removing: [] }
      const setting = minIsrs.get(topic)
      // As the controller counts: not above the number of replicas, without those that are to come.
      const minIsr = setting && Math.min(setting, replicas.length - adding.length)
      return { ...partition, adding, removing, minIsr }
    })
  }

  /** Null for every partition that needs it. What each came to is in its outcome; rejects when none was asked for. */
  async elect(
    kind: keyof typeof electionTypes,
    partitions: readonly NamedPartition[] | null,
  ): Promise<PartitionOutcome[]> {
    const byTopic = partitions && Map.groupBy(partitions, ({ topic }) => topic)
    const answer = await this.#cluster.any(apis.electLeaders, {
      electionType: electionTypes[kind],
      topicPartitions:
        byTopic &&
        [...byTopic].map(([topic, named]) => {
          return { topic, partitions: named.map(({ partition }) => partition) }
        }),
      timeoutMs: this.#cluster.workTimeoutMs,
    })
    checkAnswer(answer.errorCode, 'elect leaders')
    return answer.replicaElectionResults
      .flatMap(({ topic, partitionResult }) =>
        partitionResult.map(({ partitionId, errorCode, errorMessage }) => {
          return { topic, partition: partitionId, errorCode, errorMessage }
        }),
      )
      .sort(byPartition)
  }

  /** Begins to move a partition to these brokers, in order of preference; undefined takes back what is under way. */
  async move(
    { topic, partition }: NamedPartition,
    replicas: readonly number[] | undefined,
  ): Promise<void> {
    const what = `${replicas === undefined ? 'stop moving' : 'move'} ${topic}:${partition}`
    const wanted = replicas === undefined ? null : [...replicas]
    const answer = await this.#cluster.any(apis.alterPartitionReassignments, {
      timeoutMs: this.#cluster.workTimeoutMs,
      allowReplicationFactorChange: true,
      topics: [{ name: topic, partitions: [{ partitionIndex: partition, replicas: wanted }] }],
    })
    checkAnswer(answer.errorCode, what, { message: answer.errorMessage })
    const outcome = answer.responses[0]?.partitions[0]
    checkAnswer(outcome?.errorCode ?? -1, what, { message: outcome?.errorMessage })
  }

  /** The Kafka protocol has no request for this: it goes over gRPC, to any broker that offers it. */
  async explain({ topic, partition }: NamedPartition): Promise<PartitionExplanation> {
    const answer = await callAnyBroker(this.#cluster, {
      service: 'PartitionService',
      method: 'ExplainPartition',
      request: { topic, partition },
      what: `explain ${topic}:${partition}`,
    })
    return explanationIn(answer as ExplainAnswer)
  }

  async #describe(topics: readonly string[] | null): Promise<DescribedPartition[]> {
    try {
      return await this.#describeByPages(topics)
    } catch (error) {
      if (!NaruError.is(error, 'NARU_UNSUPPORTED')) throw error
      const all = await this.#cluster.topics()
      return shownPartitions(all.filter(({ name }) => topics?.includes(name) ?? true))
    }
  }

  async #describeByPages(topics: readonly string[] | null): Promise<DescribedPartition[]> {
    if (topics?.length === 0) return []
    const described: DescribedPartition[] = []
    let cursor: Page['nextCursor'] = null
    do {
      const answer: Page = await this.#cluster.any(apis.describeTopicPartitions, {
        topics: (topics ?? []).map((name) => ({ name })),
        responsePartitionLimit: partitionsAtOnce,
        cursor,
      })
      const known = answer.topics.filter(({ errorCode, name }) => {
        if (errorCode === kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION.code) return false
        checkAnswer(errorCode, `describe topic ${name}`)
        return true
      })
      described.push(...describedPartitions(known))
      cursor = answer.nextCursor
    } while (cursor !== null)
    return described
  }

  /** The setting of each topic. */
  async #minIsrs(topics: readonly string[]): Promise<Map<string, number>> {
    const settings = new Map<string, number>()
    for (let from = 0; from < topics.length; from += topicsAtOnce) {
      const { results } = await this.#cluster.any(apis.describeConfigs, {
        resources: topics.slice(from, from + topicsAtOnce).map((resourceName) => {
          return { resourceType: topicType, resourceName, configurationKeys: [minIsrKey] }
        }),
        includeSynonyms: false,
        includeDocumentation: false,
      })
      for (const { resourceName, configs } of results) {
        const value = Number(configs.find(({ name }) => name === minIsrKey)?.value)
        if (Number.isInteger(value)) settings.set(resourceName, value)
      }
    }
    return settings
  }

  /** What is under way, of these or of all. */
  async #reassignments(
    partitions: readonly NamedPartition[] | null,
  ): Promise<Map<string, Pick<PartitionView, 'adding' | 'removing'>>> {
    const byTopic = partitions && Map.groupBy(partitions, ({ topic }) => topic)
    const answer = await this.#cluster.any(apis.listPartitionReassignments, {
      timeoutMs: this.#cluster.workTimeoutMs,
      topics:
        byTopic &&
        [...byTopic].map(([name, named]) => {
          return { name, partitionIndexes: named.map(({ partition }) => partition) }
        }),
    })
    checkAnswer(answer.errorCode, 'list reassignments', { message: answer.errorMessage })
    const moving = answer.topics.flatMap(({ name: topic, partitions: listed }) =>
      listed.map(({ partitionIndex, addingReplicas: adding, removingReplicas: removing }) => {
        const key = keyOf({ topic, partition: partitionIndex })
        return [key, { adding, removing }] as const
      }),
    )
    return new Map(moving)
  }
}

/** Older brokers move partitions by other means, and tell nobody. */
function unlessUnsupported(error: unknown) {
  if (!NaruError.is(error, 'NARU_UNSUPPORTED')) throw error
  return new Map<string, never>()
}

function keyOf({ topic, partition }: NamedPartition): string {
  return `${topic}:${partition}`
}
