/** Decisions about the settings of brokers that change while they run. */
import {
  brokerSettingKey,
  checkedBrokerSetting,
  kafkaErrors,
  type NodeId,
  topicConfigKey,
} from '@naru/model'
import type { ConfigChange } from './configs.ts'
import { type Refusal, refusal } from './decision.ts'
import { configKey, type MetadataImage, resourceTypes } from './image.ts'
import type { MetadataRecord } from './records.ts'

const { INVALID_CONFIG, INVALID_REQUEST } = kafkaErrors

/** Decides on changes to the settings of one broker, or with an empty name to those that hold for all. */
export function decideBrokerSettings(
  image: MetadataImage,
  { broker, changes }: { readonly broker: string; readonly changes: readonly ConfigChange[] },
): readonly MetadataRecord[] | Refusal {
  const own = image.configs.get(configKey(resourceTypes.broker, broker))
  const records: MetadataRecord[] = []
  const seen = new Set<string>()
  for (const change of changes) {
    const { name } = change
    if (seen.has(name)) return refusal(INVALID_REQUEST, `The request changes ${name} twice`)
    seen.add(name)
    const value = change.operation === 'delete' ? null : changedValue(change)
    if (typeof value === 'object' && value !== null) return value
    // To take away what is not there is no mistake: Kafka's tools take back all limits that there may be.
    if (value === null && own?.has(name) !== true) continue
    const resource = { resourceType: resourceTypes.broker, resourceName: broker }
    records.push({ type: 'config', ...resource, name, value })
  }
  return records
}

function changedValue({ name, operation, value }: ConfigChange): string | Refusal {
  const key = brokerSettingKey(name)
  if (key === undefined) {
    const message = `${name} is nothing that changes while a broker runs: it reads its file at the start`
    return refusal(INVALID_REQUEST, message)
  }
  if (value === null) return refusal(INVALID_REQUEST, `Null value for ${name}`)
  if (operation !== 'set') {
    return refusal(INVALID_CONFIG, `${name} is not a list: it can only be set`)
  }
  const checked = checkedBrokerSetting(key, value)
  return checked.problem === undefined ? checked.value : refusal(INVALID_REQUEST, checked.problem)
}

/** What holds for a broker: its own setting, else that of all brokers, else the default of the key. */
export function brokerSetting(image: MetadataImage, nodeId: NodeId, name: string): string {
  return madeBrokerSetting(image, nodeId, name) ?? brokerSettingKey(name)?.default ?? ''
}

/** What a broker says of a key of topics since somebody has changed it while brokers ran; undefined where nobody has. */
export function madeTopicDefault(
  image: MetadataImage,
  nodeId: NodeId,
  name: string,
): string | undefined {
  const synonym = topicConfigKey(name)?.synonym ?? ''
  if (brokerSettingKey(synonym) === undefined) return undefined
  return madeBrokerSetting(image, nodeId, synonym)
}

function madeBrokerSetting(image: MetadataImage, nodeId: NodeId, name: string): string | undefined {
  const settingOf = (broker: string) =>
    image.configs.get(configKey(resourceTypes.broker, broker))?.get(name)
  return settingOf(String(nodeId)) ?? settingOf('')
}
