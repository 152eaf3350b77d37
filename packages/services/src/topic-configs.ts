import { configKey, type MetadataImage, resourceTypes } from '@naru/metadata'
import { parseTopicConfig, type TopicConfig, topicConfigKey, topicConfigKeys } from '@naru/model'

/** The numbers of DescribeConfigs. */
export const configSources = {
  dynamicTopic: 1,
  dynamicBroker: 2,
  dynamicAllBrokers: 3,
  staticBroker: 4,
  default: 5,
} as const

export interface DescribedConfig {
  readonly name: string
  readonly value: string
  readonly source: number
  readonly type: string
  readonly documentation: string
  readonly synonyms: readonly { name: string; value: string; source: number }[]
}

/** What a key of topics is where neither the topic nor the cluster has its own: the broker's configuration, else Kafka's default. */
export function defaultTopicConfig(
  brokerDefaults: ReadonlyMap<string, string>,
  name: string,
): string {
  return brokerDefaults.get(name) ?? topicConfigKey(name)?.default ?? ''
}

/** The effective settings of topics: a topic's own, else the broker's for all topics, else Kafka's default. */
export class TopicConfigs {
  readonly #image: MetadataImage
  readonly #brokerDefaults: ReadonlyMap<string, string>

  /** `brokerDefaults`: what the broker's configuration sets for all topics, by topic key. */
  constructor(image: MetadataImage, brokerDefaults: ReadonlyMap<string, string>) {
    this.#image = image
    this.#brokerDefaults = brokerDefaults
  }

  defaultOf(name: string): string {
    return defaultTopicConfig(this.#brokerDefaults, name)
  }

  of(topic: string): TopicConfig {
    const own = this.#image.configs.get(configKey(resourceTypes.topic, topic))
    return parseTopicConfig((name) => own?.get(name) ?? this.defaultOf(name))
  }

  /** Every key of a topic, with where its value comes from. */
  describe(topic: string): DescribedConfig[] {
    const own = this.#image.configs.get(configKey(resourceTypes.topic, topic))
    return topicConfigKeys.map((key) => {
      const { name, type, documentation, synonym, isSynonymUnset } = key
      const synonyms: { name: string; value: string; source: number }[] = []
      const ownValue = own?.get(name)
      if (ownValue !== undefined) {
        synonyms.push({ name, value: ownValue, source: configSources.dynamicTopic })
      }
      const brokerValue = this.#brokerDefaults.get(name)
      if (brokerValue !== undefined) {
        synonyms.push({ name: synonym, value: brokerValue, source: configSources.staticBroker })
      }
      const standard = { name: synonym, value: key.default, source: configSources.default }
      if (synonym !== '' && isSynonymUnset !== true) synonyms.push(standard)
      const effective = synonyms[0] ?? standard
      const note =
        key.effect === 'accepted' ? `${documentation} (accepted, no effect)` : documentation
      const { value, source } = effective
      return { name, value, source, type, documentation: note, synonyms }
    })
  }
}
