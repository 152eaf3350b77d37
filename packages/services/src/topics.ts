/** Topics as clients ask for them: each command decides, becomes durable, and is answered when the partitions can be used. */
import type { Random } from '@naru/base'
import type { MetadataRuntime } from '@naru/consensus'
import {
  type ConfigChange,
  type ControllerSettings,
  type CreatedTopic,
  decideCreatePartitions,
  decideCreateTopic,
  decideTopicConfig,
  findTopic,
  isRefusal,
  type MetadataImage,
  type NewTopic,
  type Refusal,
  refusal,
  replacingChanges,
  type TopicDefaults,
  type TopicImage,
} from '@naru/metadata'
import { kafkaErrors, type NodeId, type TopicId } from '@naru/model'
import type { TopicConfigs } from './topic-configs.ts'

export interface TopicsOptions {
  readonly metadata: MetadataRuntime
  readonly random: Random
  readonly defaults: TopicDefaults
  readonly configs: TopicConfigs
  readonly isDeletionEnabled: boolean
}

export class Topics {
  readonly #options: TopicsOptions

  constructor(options: TopicsOptions) {
    this.#options = options
  }

  get #settings(): ControllerSettings {
    const { defaults, isDeletionEnabled, configs } = this.#options
    return { defaults, isDeletionEnabled, configDefault: (name) => configs.defaultOf(name) }
  }

  /** Creates one topic; with `validateOnly` it only says what would happen. */
  create(topic: NewTopic, validateOnly: boolean): Promise<CreatedTopic | Refusal> {
    const topicId = this.#options.random.bytes(16).toString('base64url')
    const settings = this.#settings
    return this.#options.metadata.submit<CreatedTopic | Refusal>((image) => {
      const decided = decideCreateTopic(image, topic, { topicId, settings })
      if (isRefusal(decided)) return { records: [], response: decided }
      return { records: validateOnly ? [] : decided.records, response: decided }
    })
  }

  delete(named: { name: string | null; topicId: TopicId }): Promise<TopicImage | Refusal> {
    return this.#options.metadata.submit<TopicImage | Refusal>((image) => {
      if (!this.#options.isDeletionEnabled) {
        const message = 'delete.topic.enable is false'
        return { records: [], response: refusal(kafkaErrors.TOPIC_DELETION_DISABLED, message) }
      }
      const topic = findTopic(image, named)
      if (isRefusal(topic)) return { records: [], response: topic }
      const { topicId } = topic
      return { records: [{ type: 'removeTopic', topicId, holders: null }], response: topic }
    })
  }

  /** Adds partitions; `count` is the new total. */
  grow(
    request: { name: string; count: number; assignments: readonly (readonly NodeId[])[] | null },
    validateOnly: boolean,
  ): Promise<Refusal | undefined> {
    return this.#options.metadata.submit<Refusal | undefined>((image) => {
      const decided = decideCreatePartitions(image, request, this.#settings)
      if ('error' in decided) return { records: [], response: decided }
      return { records: validateOnly ? [] : decided, response: undefined }
    })
  }

  /** Changes a topic's own settings. */
  alterConfig(
    topic: string,
    changes: readonly ConfigChange[],
    validateOnly: boolean,
  ): Promise<Refusal | undefined> {
    return this.#alter(topic, () => changes, validateOnly)
  }

  /** Replaces a topic's own settings with those given. */
  replaceConfig(
    topic: string,
    wanted: readonly { name: string; value: string | null }[],
    validateOnly: boolean,
  ): Promise<Refusal | undefined> {
    return this.#alter(topic, (image) => replacingChanges(image, topic, wanted), validateOnly)
  }

  #alter(
    topic: string,
    changesTo: (image: MetadataImage) => readonly ConfigChange[],
    validateOnly: boolean,
  ): Promise<Refusal | undefined> {
    return this.#options.metadata.submit<Refusal | undefined>((image) => {
      const changes = changesTo(image)
      const decided = decideTopicConfig(image, { topic, changes }, this.#settings)
      if ('error' in decided) return { records: [], response: decided }
      return { records: validateOnly ? [] : decided, response: undefined }
    })
  }
}
