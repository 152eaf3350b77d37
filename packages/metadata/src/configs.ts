/** Decisions about topic configurations. */
import {
  checkedTopicConfig,
  invalidTopicName,
  kafkaErrors,
  listOf,
  topicConfigKey,
} from '@naru/model'
import { type Refusal, refusal } from './decision.ts'
import { configKey, type MetadataImage, resourceTypes } from './image.ts'
import type { MetadataRecord } from './records.ts'

/** By Kafka's numbers. */
export const configOperations = ['set', 'delete', 'append', 'subtract'] as const
export type ConfigOperation = (typeof configOperations)[number]

export interface ConfigChange {
  readonly name: string
  readonly operation: ConfigOperation
  readonly value: string | null
}

/** Decides on changes to one topic's own settings. `effective` gives a key's value where the topic has none of its own. */
export function decideTopicConfig(
  image: MetadataImage,
  request: { topic: string; changes: readonly ConfigChange[]; effective: (name: string) => string },
): readonly MetadataRecord[] | Refusal {
  if (request.topic === '') {
    return refusal(kafkaErrors.INVALID_REQUEST, 'Topics have no settings in common')
  }
  const invalid = invalidTopicName(request.topic)
  if (invalid !== undefined) return refusal(kafkaErrors.INVALID_TOPIC_EXCEPTION, invalid)
  if (!image.topics.has(request.topic)) {
    return refusal(kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, `Topic ${request.topic} does not exist`)
  }
  const records: MetadataRecord[] = []
  const seen = new Set<string>()
  for (const change of request.changes) {
    if (seen.has(change.name)) {
      const message = `The request changes ${change.name} twice`
      return refusal(kafkaErrors.INVALID_REQUEST, message)
    }
    seen.add(change.name)
    const value = changedValue(image, request, change)
    if (typeof value === 'object' && value !== null) return value
    // To take away what cannot be there is no mistake: Kafka lets clients do it.
    if (value === null && topicConfigKey(change.name) === undefined) continue
    records.push({
      type: 'config',
      resourceType: resourceTypes.topic,
      resourceName: request.topic,
      name: change.name,
      value,
    })
  }
  return records
}

/** The older form of altering: what is not named goes back to its default. */
export function replacingChanges(
  image: MetadataImage,
  topic: string,
  wanted: readonly { name: string; value: string | null }[],
): ConfigChange[] {
  const own = image.configs.get(configKey(resourceTypes.topic, topic))
  const names = new Set(wanted.map(({ name }) => name))
  const removed = [...(own?.keys() ?? [])].filter((name) => !names.has(name))
  return [
    ...wanted.map(({ name, value }): ConfigChange => ({ name, operation: 'set', value })),
    ...removed.map((name): ConfigChange => ({ name, operation: 'delete', value: null })),
  ]
}

function changedValue(
  image: MetadataImage,
  request: { topic: string; effective: (name: string) => string },
  change: ConfigChange,
): string | null | Refusal {
  const { name, operation } = change
  if (operation === 'delete') return null
  if (change.value === null) {
    return refusal(kafkaErrors.INVALID_REQUEST, `Null value for ${name}`)
  }
  let value = change.value
  if (operation !== 'set') {
    if (topicConfigKey(name)?.type !== 'list') {
      return refusal(kafkaErrors.INVALID_CONFIG, `${name} is not a list: it can only be set`)
    }
    const own = image.configs.get(configKey(resourceTypes.topic, request.topic))?.get(name)
    const before = listOf(own ?? request.effective(name))
    const named = listOf(value)
    value =
      operation === 'append'
        ? [...before, ...named.filter((element) => !before.includes(element))].join(',')
        : before.filter((element) => !named.includes(element)).join(',')
  }
  const checked = checkedTopicConfig(name, value)
  if (checked.problem === undefined) return checked.value
  return refusal(kafkaErrors.INVALID_CONFIG, checked.problem)
}
