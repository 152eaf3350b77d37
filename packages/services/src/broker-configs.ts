/** The configuration of this broker: what its file says, and what is changed while it runs. */
import type { MetadataRuntime } from '@naru/consensus'
import {
  type ConfigChange,
  configKey,
  isRefusal,
  type Refusal,
  resourceTypes,
} from '@naru/metadata'
import { brokerSettingKey, brokerSettingKeys, type NodeId } from '@naru/model'
import { configSources, type DescribedConfig } from './topic-configs.ts'

export interface DescribedBrokerConfig extends DescribedConfig {
  readonly isSensitive: boolean
  readonly isReadOnly: boolean
}

export interface BrokerConfigsOptions {
  readonly nodeId: NodeId
  readonly metadata: MetadataRuntime
  /** From its file and its environment. */
  readonly ofFile: () => readonly (DescribedConfig & { readonly isSensitive: boolean })[]
}

export class BrokerConfigs {
  readonly #options: BrokerConfigsOptions

  constructor(options: BrokerConfigsOptions) {
    this.#options = options
  }

  /** Every key of the file, and the settings that were made while it ran. */
  describe(): DescribedBrokerConfig[] {
    const { nodeId, ofFile } = this.#options
    const made = this.#made([
      [String(nodeId), configSources.dynamicBroker],
      ['', configSources.dynamicAllBrokers],
    ])
    const madeOf = new Map(made.map((config) => [config.name, config]))
    const filed = ofFile().map((config) => {
      const { name, synonyms } = config
      const own = madeOf.get(name)
      if (own === undefined) return { ...config, isReadOnly: brokerSettingKey(name) === undefined }
      madeOf.delete(name)
      return { ...own, synonyms: [...own.synonyms, ...synonyms] }
    })
    return [...filed, ...madeOf.values()]
  }

  /** The settings that were made for all brokers. */
  describeOfAll(): DescribedBrokerConfig[] {
    return this.#made([['', configSources.dynamicAllBrokers]])
  }

  /** Changes settings of this broker, or with an empty name those of all. */
  async alter(
    broker: string,
    changes: readonly ConfigChange[],
    validateOnly: boolean,
  ): Promise<Refusal | undefined> {
    const command = { type: 'alterBrokerConfig', broker, changes, validateOnly } as const
    const answer = await this.#options.metadata.submit(command)
    return isRefusal(answer) ? answer : undefined
  }

  /** As Kafka does it, a setting that nobody made is not shown, nor the default. The source that goes before others comes first. */
  #made(places: readonly (readonly [broker: string, source: number])[]): DescribedBrokerConfig[] {
    const { configs } = this.#options.metadata.image
    return brokerSettingKeys.flatMap(({ name, type, documentation }) => {
      const synonyms = places.flatMap(([broker, source]) => {
        const value = configs.get(configKey(resourceTypes.broker, broker))?.get(name)
        return value === undefined ? [] : [{ name, value, source }]
      })
      const [effective] = synonyms
      if (effective === undefined) return []
      const { value, source } = effective
      const described = { name, value, source, type, documentation, synonyms }
      return [{ ...described, isSensitive: false, isReadOnly: false }]
    })
  }
}
