import { configKey, type MetadataImage, madeTopicDefault, resourceTypes } from '@naru/metadata'
import {
  type NodeId,
  parseTopicConfig,
  type TopicConfig,
  type TopicConfigKey,
  topicConfigKey,
  topicConfigKeys,
} from '@naru/model'

/** The numbers of DescribeConfigs. */
export const configSources = {
  dynamicTopic: 1,
  dynamicBroker: 2,
  dynamicAllBrokers: 3,
  staticBroker: 4,
  default: 5,
} as const

interface Synonym {
  readonly name: string
  readonly value: string
  readonly source: number
}

export interface DescribedConfig {
  readonly name: string
  readonly value: string
  readonly source: number
  readonly type: string
  readonly documentation: string
  readonly synonyms: readonly Synonym[]
}

/** What a broker brings along for topics that leave something open. */
export interface TopicDefaultsOfBroker {
  /** Its own settings that are made while it runs go before its file. */
  readonly nodeId: NodeId
  /** By topic key. */
  readonly topicDefaults: ReadonlyMap<string, string>
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
  readonly #broker: TopicDefaultsOfBroker

  constructor(image: MetadataImage, broker: TopicDefaultsOfBroker) {
    this.#image = image
    this.#broker = broker
  }

  of(topic: string): TopicConfig {
    return parseTopicConfig((name) => this.setting(topic, name))
  }

  setting(topic: string, name: string): string {
    const { nodeId, topicDefaults } = this.#broker
    const own = this.#image.configs.get(configKey(resourceTypes.topic, topic))?.get(name)
    const made = own ?? madeTopicDefault(this.#image, nodeId, name)
    return made ?? defaultTopicConfig(topicDefaults, name)
  }

  /** Every key of a topic, with where its value comes from. */
  describe(topic: string): DescribedConfig[] {
    return topicConfigKeys.map((key) => {
      const { name, type, documentation } = key
      const standard = { name: key.synonym, value: key.default, source: configSources.default }
      const synonyms = [...this.#made(topic, key), ...this.#filed(key)]
      if (key.synonym !== '' && key.isSynonymUnset !== true) synonyms.push(standard)
      const effective = synonyms[0] ?? standard
      const note =
        key.effect === 'accepted' ? `${documentation} (accepted, no effect)` : documentation
      const { value, source } = effective
      return { name, value, source, type, documentation: note, synonyms }
    })
  }

  /** What the metadata have. */
  #made(topic: string, { name, synonym }: TopicConfigKey): Synonym[] {
    const { dynamicTopic, dynamicBroker, dynamicAllBrokers } = configSources
    const { topic: ofTopic, broker: ofBroker } = resourceTypes
    const places = [
      { name, source: dynamicTopic, key: configKey(ofTopic, topic) },
      {
        name: synonym,
        source: dynamicBroker,
        key: configKey(ofBroker, String(this.#broker.nodeId)),
      },
      { name: synonym, source: dynamicAllBrokers, key: configKey(ofBroker, '') },
    ]
    return places.flatMap(({ key, ...place }) => {
      const value = this.#image.configs.get(key)?.get(place.name)
      return value === undefined ? [] : [{ ...place, value }]
    })
  }

  #filed({ name, synonym }: TopicConfigKey): Synonym[] {
    const value = this.#broker.topicDefaults.get(name)
    return value === undefined ? [] : [{ name: synonym, value, source: configSources.staticBroker }]
  }
}
