import { zeroTopicId } from '@naru/model'
import { apis } from '@naru/protocol'
import type { Cluster } from './cluster.ts'
import { ClusterAdmin } from './cluster-admin.ts'
import { checkAnswer } from './errors.ts'
import { knownOffsetBounds, type OffsetBounds } from './offsets.ts'
import { PartitionAdmin } from './partition-admin.ts'
import type { TopicView } from './topic-view.ts'

const topicType = 2

export interface TopicSetting {
  readonly name: string
  readonly value: string | null
  /** Set for the topic itself, by the configuration of a broker, or nowhere. */
  readonly source: 'topic' | 'broker' | 'default'
}

const topicSource = 1
const defaultSource = 5

/** Topics and their settings, their partitions, and the cluster itself. Each call resolves when the cluster has done it. */
export class Admin {
  readonly #cluster: Cluster
  readonly cluster: ClusterAdmin
  readonly partitions: PartitionAdmin

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.cluster = new ClusterAdmin(cluster)
    this.partitions = new PartitionAdmin(cluster)
  }

  listTopics(): Promise<TopicView[]> {
    return this.#cluster.topics()
  }

  /** Undefined when there is no topic of that name. */
  findTopic(name: string): Promise<TopicView | undefined> {
    return this.#cluster.find(name)
  }

  /** A topic that exists, or is about to: waits for one that is being created, and rejects when it does not come. */
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
      timeoutMs: this.#cluster.workTimeoutMs,
      validateOnly: options.validateOnly ?? false,
    })
    const created = answer.topics[0]
    checkAnswer(created?.errorCode ?? -1, `create topic ${name}`, {
      message: created?.errorMessage,
    })
    return { partitions: created?.numPartitions ?? -1, replicas: created?.replicationFactor ?? -1 }
  }

  async deleteTopic(name: string): Promise<void> {
    const answer = await this.#cluster.any(apis.deleteTopics, {
      topics: [{ name, topicId: zeroTopicId }],
      topicNames: [name],
      timeoutMs: this.#cluster.workTimeoutMs,
    })
    const deleted = answer.responses[0]
    checkAnswer(deleted?.errorCode ?? -1, `delete topic ${name}`, {
      message: deleted?.errorMessage,
    })
  }

  async describeSettings(topic: string): Promise<TopicSetting[]> {
    const answer = await this.#cluster.any(apis.describeConfigs, {
      resources: [{ resourceType: topicType, resourceName: topic, configurationKeys: null }],
      includeSynonyms: false,
      includeDocumentation: false,
    })
    const result = answer.results[0]
    checkAnswer(result?.errorCode ?? -1, `describe topic ${topic}`, {
      message: result?.errorMessage,
    })
    return (result?.configs ?? []).map(({ name, value, configSource }) => {
      const inherited = configSource === defaultSource ? 'default' : 'broker'
      return { name, value, source: configSource === topicSource ? 'topic' : inherited }
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
    checkAnswer(result?.errorCode ?? -1, `configure topic ${topic}`, {
      message: result?.errorMessage,
    })
  }

  /** First and next offset of each partition that has a leader; rejects when one of them does not answer. */
  async offsets(topic: TopicView): Promise<ReadonlyMap<number, OffsetBounds>> {
    const { bounds, unreached } = await this.#knownOffsets(topic)
    if (unreached !== undefined) throw unreached
    return bounds
  }

  /** The same of those whose leader answers. */
  async knownOffsets(topic: TopicView): Promise<ReadonlyMap<number, OffsetBounds>> {
    return (await this.#knownOffsets(topic)).bounds
  }

  #knownOffsets({ name, partitions }: TopicView) {
    const numbers = partitions.map(({ partition }) => partition)
    return knownOffsetBounds(this.#cluster, { topic: name, partitions: numbers })
  }
}
