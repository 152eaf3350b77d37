/** Decisions about topic configurations. */
import {
  checkedTopicConfig,
  invalidTopicName,
  kafkaErrors,
  listOf,
  topicConfigKey,
} from '@naru/model'
import type { ControllerSettings } from './controller-settings.ts'
import { type Refusal, refusal } from './decision.ts'
import { configKey, type MetadataImage, resourceTypes } from './image.ts'
import { changedPartition } from './partition-change.ts'
import type { MetadataRecord, RecordOf } from './records.ts'
import { changeContext, topicSetting } from './replicas.ts'

/** By Kafka's numbers. */
export const configOperations = ['set', 'delete', 'append', 'subtract'] as const
export type ConfigOperation = (typeof configOperations)[number]

export interface ConfigChange {
  readonly name: string
  readonly operation: ConfigOperation
  readonly value: string | null
}

interface TopicConfigRequest {
  readonly topic: string
  readonly changes: readonly ConfigChange[]
}

/** Decides on changes to one topic's own settings, and on what they mean for its partitions. */
export function decideTopicConfig(
  image: MetadataImage,
  request: TopicConfigRequest,
  settings: ControllerSettings,
): readonly MetadataRecord[] | Refusal {
  if (request.topic === '') {
    return refusal(kafkaErrors.INVALID_REQUEST, 'Topics have no settings in common')
  }
  const invalid = invalidTopicName(request.topic)
  if (invalid !== undefined) return refusal(kafkaErrors.INVALID_TOPIC_EXCEPTION, invalid)
  if (!image.topics.has(request.topic)) {
    return refusal(kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, `Topic ${request.topic} does not exist`)
  }
  const records: RecordOf<'config'>[] = []
  const seen = new Set<string>()
  for (const change of request.changes) {
    if (seen.has(change.name)) {
      const message = `The request changes ${change.name} twice`
      return refusal(kafkaErrors.INVALID_REQUEST, message)
    }
    seen.add(change.name)
    const value = changedValue(image, { topic: request.topic, change }, settings)
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
  return [...records, ...changedPartitions(image, { topic: request.topic, records }, settings)]
}

/** Settings that are part of the partitions' state change it in the same batch. */
function changedPartitions(
  image: MetadataImage,
  { topic, records }: { topic: string; records: readonly RecordOf<'config'>[] },
  settings: ControllerSettings,
): MetadataRecord[] {
  const settingOf = (name: string) => {
    const changed = records.find((record) => record.name === name)
    if (changed === undefined) return topicSetting(image, topic, { name, settings })
    return changed.value ?? settings.configDefault(name)
  }
  const isNamed = (name: string) => records.some((record) => record.name === name)
  const isMinIsrChange = isNamed('min.insync.replicas')
  // What was acknowledged before is not on disks by this: that the leader has to tell.
  const isNoLongerFlushed = isNamed('naru.flush') && settingOf('naru.flush') !== 'ack'
  if (!isMinIsrChange && !isNoLongerFlushed) return []
  const minIsrSetting = Number(settingOf('min.insync.replicas'))
  const context = { ...changeContext(image, topic, { settings }), minIsrSetting }
  const change = isNoLongerFlushed ? { isMinIsrChange, isFlushed: false } : { isMinIsrChange }
  const partitions = image.topics.get(topic)?.partitions ?? []
  return partitions.flatMap((before) => {
    const after = changedPartition(before, change, context)
    return after === before ? [] : [{ type: 'partition' as const, ...after }]
  })
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
  { topic, change }: { topic: string; change: ConfigChange },
  settings: ControllerSettings,
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
    const before = listOf(topicSetting(image, topic, { name, settings }))
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
