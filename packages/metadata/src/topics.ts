/** Decisions about topics and their partitions. */
import {
  checkedTopicConfig,
  invalidTopicName,
  isReservedTopic,
  kafkaErrors,
  type NodeId,
  type TopicId,
  topicNamesCollide,
  zeroTopicId,
} from '@naru/model'
import type { ControllerSettings, TopicDefaults } from './controller-settings.ts'
import { type Refusal, refusal } from './decision.ts'
import { type BrokerImage, type MetadataImage, resourceTypes, type TopicImage } from './image.ts'
import { placeReplicas } from './placement.ts'
import type { MetadataRecord } from './records.ts'
import { isActive, topicSetting } from './replicas.ts'

/** Most partitions that one request may create. */
export const partitionsPerRequestMax = 10_000

export interface NewTopic {
  readonly name: string
  /** -1 for the broker's default; also when `assignments` are given. */
  readonly partitions: number
  readonly replicationFactor: number
  /** Replicas by partition; empty lets the controller place them. */
  readonly assignments: readonly { partition: number; replicas: readonly NodeId[] }[]
  readonly configs: readonly { name: string; value: string | null }[]
}

export interface CreatedTopic {
  readonly topicId: TopicId
  readonly partitions: number
  readonly replicationFactor: number
  readonly records: readonly MetadataRecord[]
}

/** Decides on one topic. The caller gives the id, so that the decision stays deterministic. */
export function decideCreateTopic(
  image: MetadataImage,
  topic: NewTopic,
  options: { topicId: TopicId; settings: ControllerSettings },
): CreatedTopic | Refusal {
  const { name } = topic
  const problem = refusedName(image, name)
  if (problem !== undefined) return problem
  const configs = checkedConfigs(topic)
  if ('error' in configs) return configs
  const assignment = assign(image, topic, options.settings.defaults)
  if ('error' in assignment) return assignment
  const { topicId, settings } = options
  if (image.topicsById.has(topicId)) {
    return refusal(kafkaErrors.INVALID_REQUEST, `The topic id ${topicId} is in use`)
  }
  const settingOf = (key: string) =>
    configs.find((config) => config.name === key)?.value ?? settings.configDefault(key)
  const records: MetadataRecord[] = [{ type: 'topic', topicId, name }]
  for (const [partition, replicas] of assignment.entries()) {
    records.push(newPartition(image, { topicId, partition, replicas, settingOf }))
  }
  for (const { name: key, value } of configs) {
    records.push({
      type: 'config',
      resourceType: resourceTypes.topic,
      resourceName: name,
      name: key,
      value,
    })
  }
  const replicationFactor = assignment[0]?.length ?? 0
  return { topicId, partitions: assignment.length, replicationFactor, records }
}

function refusedName(image: MetadataImage, name: string): Refusal | undefined {
  const invalid = invalidTopicName(name)
  if (invalid !== undefined) return refusal(kafkaErrors.INVALID_TOPIC_EXCEPTION, invalid)
  if (isReservedTopic(name)) {
    return refusal(kafkaErrors.INVALID_REQUEST, `${name} is the metadata log and no topic`)
  }
  if (image.topics.has(name)) {
    return refusal(kafkaErrors.TOPIC_ALREADY_EXISTS, `Topic '${name}' already exists.`)
  }
  for (const other of image.topics.keys()) {
    if (!topicNamesCollide(name, other)) continue
    const message = `Topic ${name} collides with ${other}: they differ only in . and _`
    return refusal(kafkaErrors.INVALID_TOPIC_EXCEPTION, message)
  }
  return undefined
}

function checkedConfigs(topic: NewTopic): readonly { name: string; value: string }[] | Refusal {
  const configs: { name: string; value: string }[] = []
  for (const { name, value } of topic.configs) {
    if (value === null) return refusal(kafkaErrors.INVALID_CONFIG, `Null value for ${name}`)
    const checked = checkedTopicConfig(name, value)
    if (checked.problem !== undefined) return refusal(kafkaErrors.INVALID_CONFIG, checked.problem)
    configs.push({ name, value: checked.value })
  }
  return configs
}

function assign(
  image: MetadataImage,
  topic: NewTopic,
  defaults: TopicDefaults,
): readonly (readonly NodeId[])[] | Refusal {
  if (topic.assignments.length > 0) return givenAssignment(image, topic)
  const count = topic.partitions === -1 ? defaults.partitions : topic.partitions
  const brokers = placeable(image)
  const replicationFactor =
    topic.replicationFactor === -1
      ? defaultFactor(defaults, brokers.length)
      : topic.replicationFactor
  if (replicationFactor < 1) {
    const message = 'The replication factor must be above 0'
    return refusal(kafkaErrors.INVALID_REPLICATION_FACTOR, message)
  }
  if (count < 1) {
    return refusal(kafkaErrors.INVALID_PARTITIONS, 'The number of partitions must be above 0')
  }
  if (count > partitionsPerRequestMax) return tooMany(count)
  const problem = refusedFactor(brokers, replicationFactor)
  if (problem !== undefined) return problem
  const start = image.topics.size
  return placeReplicas(brokers, { firstPartition: 0, count, replicationFactor, start })
}

/** Brokers that new replicas may be placed on: a fenced one would start out of sync (KIP-841). */
function placeable(image: MetadataImage): BrokerImage[] {
  return [...image.brokers.values()].filter(isActive)
}

function defaultFactor(defaults: TopicDefaults, brokers: number): number {
  const { replicationFactor, isReplicationFactorSet } = defaults
  return isReplicationFactorSet
    ? replicationFactor
    : Math.max(1, Math.min(replicationFactor, brokers))
}

function refusedFactor(
  brokers: readonly BrokerImage[],
  replicationFactor: number,
): Refusal | undefined {
  if (replicationFactor <= brokers.length) return undefined
  const message = `Replication factor ${replicationFactor} is more than the ${brokers.length} brokers that can take replicas`
  return refusal(kafkaErrors.INVALID_REPLICATION_FACTOR, message)
}

function tooMany(count: number): Refusal {
  const message = `A request creates at most ${partitionsPerRequestMax} partitions, not ${count}`
  return refusal(kafkaErrors.POLICY_VIOLATION, message)
}

function givenAssignment(
  image: MetadataImage,
  topic: NewTopic,
): readonly (readonly NodeId[])[] | Refusal {
  const { assignments } = topic
  if (topic.partitions !== -1 || topic.replicationFactor !== -1) {
    const message = 'With an assignment, partitions and replication factor must be -1'
    return refusal(kafkaErrors.INVALID_REQUEST, message)
  }
  if (assignments.length > partitionsPerRequestMax) return tooMany(assignments.length)
  const ordered = [...assignments].sort((a, b) => a.partition - b.partition)
  if (ordered.some(({ partition }, index) => partition !== index)) {
    const message = 'The assignment must name partitions 0, 1, 2 ... once each'
    return refusal(kafkaErrors.INVALID_REPLICA_ASSIGNMENT, message)
  }
  const replicas = ordered.map((entry) => entry.replicas)
  return refusedReplicas(image, replicas, replicas[0]?.length ?? 0) ?? replicas
}

function refusedReplicas(
  image: MetadataImage,
  assignment: readonly (readonly NodeId[])[],
  factor: number,
): Refusal | undefined {
  const invalid = (message: string) => refusal(kafkaErrors.INVALID_REPLICA_ASSIGNMENT, message)
  for (const [partition, replicas] of assignment.entries()) {
    if (replicas.length === 0) return invalid(`Partition ${partition} has no replicas`)
    if (replicas.length !== factor) return invalid('Partitions differ in their number of replicas')
    if (new Set(replicas).size !== replicas.length) {
      return invalid(`Partition ${partition} names a broker twice`)
    }
    const stranger = replicas.find((nodeId) => !image.brokers.has(nodeId))
    if (stranger !== undefined) return invalid(`Broker ${stranger} is not registered`)
    if (!replicas.some((nodeId) => isActive(image.brokers.get(nodeId) as BrokerImage))) {
      return invalid(`The brokers of partition ${partition} are all fenced or about to stop`)
    }
  }
  return undefined
}

function newPartition(
  image: MetadataImage,
  entry: {
    topicId: TopicId
    partition: number
    replicas: readonly NodeId[]
    /** Of a setting of the topic. */
    settingOf: (key: string) => string
  },
): MetadataRecord {
  const { topicId, partition, replicas, settingOf } = entry
  const isr = replicas.filter((nodeId) => isActive(image.brokers.get(nodeId) as BrokerImage))
  return {
    type: 'partition',
    topicId,
    partition,
    replicas,
    directories: replicas.map((nodeId) => directoryFor(image, nodeId, partition)),
    isr,
    leader: isr[0] as NodeId,
    leaderEpoch: 0,
    partitionEpoch: 0,
    elr: [],
    lastKnownElr: [],
    minIsr: Math.min(Number(settingOf('min.insync.replicas')), replicas.length),
    isFlushed: settingOf('naru.flush') === 'ack',
    isRecovering: false,
    addingReplicas: [],
    removingReplicas: [],
    removedReplicas: [],
  }
}

/** A broker's log directories take partitions in turn, those that failed apart. */
export function directoryFor(image: MetadataImage, nodeId: NodeId, partition: number): string {
  const broker = image.brokers.get(nodeId)
  const offline = broker?.offlineDirectories ?? []
  const directories = (broker?.directories ?? []).filter((id) => !offline.includes(id))
  const turn = image.topics.size + partition
  return directories[turn % Math.max(1, directories.length)] ?? zeroTopicId
}

/** Finds a topic by name or by id, as DeleteTopics names it. */
export function findTopic(
  image: MetadataImage,
  named: { name: string | null; topicId: TopicId },
): TopicImage | Refusal {
  if (named.name !== null) {
    const topic = image.topics.get(named.name)
    const message = `Topic ${named.name} does not exist`
    return topic ?? refusal(kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, message)
  }
  const message = `No topic has the id ${named.topicId}`
  return image.topicsById.get(named.topicId) ?? refusal(kafkaErrors.UNKNOWN_TOPIC_ID, message)
}

/** Decides on more partitions for a topic; `count` is the new total. */
export function decideCreatePartitions(
  image: MetadataImage,
  request: { name: string; count: number; assignments: readonly (readonly NodeId[])[] | null },
  settings: ControllerSettings,
): readonly MetadataRecord[] | Refusal {
  const topic = image.topics.get(request.name)
  if (topic === undefined) {
    return refusal(kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION, `Topic ${request.name} does not exist`)
  }
  const present = topic.partitions.length
  const added = request.count - present
  if (added <= 0) {
    const message = `Topic ${request.name} has ${present} partitions: the number can only grow, not become ${request.count}`
    return refusal(kafkaErrors.INVALID_PARTITIONS, message)
  }
  if (added > partitionsPerRequestMax) return tooMany(added)
  const replicationFactor = topic.partitions[0]?.replicas.length ?? 1
  if (request.assignments !== null && request.assignments.length !== added) {
    const message = `${added} partitions are added, ${request.assignments.length} assigned`
    return refusal(kafkaErrors.INVALID_REPLICA_ASSIGNMENT, message)
  }
  const brokers = placeable(image)
  const problem =
    request.assignments === null
      ? refusedFactor(brokers, replicationFactor)
      : refusedReplicas(image, request.assignments, replicationFactor)
  if (problem !== undefined) return problem
  const options = { firstPartition: present, count: added, replicationFactor, start: 0 }
  const placed = request.assignments ?? placeReplicas(brokers, options)
  const { topicId, name } = topic
  const settingOf = (key: string) => topicSetting(image, name, { name: key, settings })
  return placed.map((replicas, index) =>
    newPartition(image, { topicId, partition: present + index, replicas, settingOf }),
  )
}
