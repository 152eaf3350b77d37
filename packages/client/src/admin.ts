import { apis } from '@naru/protocol'
import type { Cluster, TopicView } from './cluster.ts'
import { listOffset } from './consumer.ts'
import { checkAnswer } from './errors.ts'

const topicType = 2
const timeoutMs = 30_000

export interface TopicSetting {
  readonly name: string
  readonly value: string | null
  /** Set for the topic itself, not inherited. */
  readonly isOwn: boolean
}

/** Topics and their settings. Each call resolves when the cluster has done it. */
export class Admin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async listTopics(): Promise<TopicView[]> {
    const answer = await this.#cluster.metadata(null)
    const names = answer.topics.map(({ name }) => name ?? '').sort()
    return Promise.all(names.map((name) => this.describeTopic(name)))
  }

  describeTopic(name: string): Promise<TopicView> {
    return this.#cluster.topic(name, { isStale: true })
  }

  /** -1 for the cluster's default number of partitions or replicas. */
  async createTopic(
    name: string,
    options: {
      partitions?: number
      replicas?: number
      configs?: Readonly<Record<string, string>>
      validateOnly?: boolean
    } = {},
  ): Promise<{ partitions: number; replicas: number }> {
    const configs = Object.entries(options.configs ?? {}).map(([key, value]) => {
      return { name: key, value }
    })
    const answer = await this.#cluster.any(apis.createTopics, {
      topics: [
        {
          name,
          numPartitions: options.partitions ?? -1,
          replicationFactor: options.replicas ?? -1,
          assignments: [],
          configs,
        },
      ],
      timeoutMs,
      validateOnly: options.validateOnly ?? false,
    })
    const created = answer.topics[0]
    checkAnswer(created?.errorCode ?? -1, `create topic ${name}`, created?.errorMessage)
    return { partitions: created?.numPartitions ?? -1, replicas: created?.replicationFactor ?? -1 }
  }

  async deleteTopic(name: string): Promise<void> {
    const answer = await this.#cluster.any(apis.deleteTopics, {
      topics: [{ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
      topicNames: [name],
      timeoutMs,
    })
    const deleted = answer.responses[0]
    checkAnswer(deleted?.errorCode ?? -1, `delete topic ${name}`, deleted?.errorMessage)
  }

  async describeSettings(topic: string): Promise<TopicSetting[]> {
    const answer = await this.#cluster.any(apis.describeConfigs, {
      resources: [{ resourceType: topicType, resourceName: topic, configurationKeys: null }],
      includeSynonyms: false,
      includeDocumentation: false,
    })
    const result = answer.results[0]
    checkAnswer(result?.errorCode ?? -1, `describe topic ${topic}`, result?.errorMessage)
    return (result?.configs ?? []).map(({ name, value, configSource }) => {
      return { name, value, isOwn: configSource === 1 }
    })
  }

  /** Undefined takes a setting back to its default. */
  async alterSettings(
    topic: string,
    changes: Readonly<Record<string, string | undefined>>,
    { validateOnly = false } = {},
  ): Promise<void> {
    const configs = Object.entries(changes).map(([name, value]) => {
      return { name, configOperation: value === undefined ? 1 : 0, value: value ?? null }
    })
    const answer = await this.#cluster.any(apis.incrementalAlterConfigs, {
      resources: [{ resourceType: topicType, resourceName: topic, configs }],
      validateOnly,
    })
    const result = answer.responses[0]
    checkAnswer(result?.errorCode ?? -1, `configure topic ${topic}`, result?.errorMessage)
  }

  /** First and next offset of a partition. */
  async offsets(topic: string, partition: number): Promise<{ start: bigint; end: bigint }> {
    const where = { topic, partition }
    const start = await listOffset(this.#cluster, where, -2n)
    return { start, end: await listOffset(this.#cluster, where, -1n) }
  }
}
