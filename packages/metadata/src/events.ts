/** What happened in the cluster, as the log tells it: the same on every broker, with the time and the reason of the decision. */
import { type NodeId, type TopicId, topicPartitionKey } from '@naru/model'
import {
  type BrokerImage,
  type MetadataImage,
  type PartitionImage,
  partitionWith,
} from './image.ts'
import type { MetadataRecord, RecordOf } from './records.ts'

interface PartitionName {
  readonly topic: string
  readonly topicId: TopicId
  readonly partition: number
}

type Happening =
  | ({
      type: 'leaderElected'
      leader: NodeId
      previous: NodeId
      leaderEpoch: number
    } & PartitionName)
  | ({
      type: 'isrShrunk' | 'isrGrown'
      isr: readonly NodeId[]
      /** Who left or joined. */
      nodes: readonly NodeId[]
    } & PartitionName)
  | ({ type: 'uncleanElection'; leader: NodeId; isCommanded: boolean } & PartitionName)
  | ({
      type: 'reassignmentStarted' | 'reassignmentEnded'
      replicas: readonly NodeId[]
    } & PartitionName)
  | { type: 'brokerRegistered'; nodeId: NodeId; brokerEpoch: bigint }
  | {
      type: 'brokerFenced' | 'brokerUnfenced' | 'brokerShuttingDown' | 'brokerUnregistered'
      nodeId: NodeId
    }
  | { type: 'directoriesFailed'; nodeId: NodeId; directories: readonly string[] }
  | { type: 'topicCreated' | 'topicDeleted'; topic: string; topicId: TopicId }
  | { type: 'featureChanged'; name: string; level: number; previous: number }

/** `timestampMs` is -1 where the log does not have it, which was so at first. */
export type TimelineEvent = Readonly<Happening> & {
  readonly timestampMs: number
  readonly cause: string
}

/** `before` is the image that the records are about to change. */
export function timelineEvents(
  before: MetadataImage,
  records: readonly MetadataRecord[],
): TimelineEvent[] {
  const view = new BatchView(before)
  let change = { timestampMs: -1, cause: '' }
  const events: TimelineEvent[] = []
  for (const record of records) {
    if (record.type === 'change') {
      change = { timestampMs: Number(record.timestampMs), cause: record.cause }
    }
    // Not copied: a fence of a broker that leads 10,000 partitions is 20,000 events, in the middle of a failover.
    for (const happening of view.happenings(record)) events.push(Object.assign(happening, change))
  }
  return events
}

/** The image as the records of a batch leave it one by one, without a copy of the whole. */
class BatchView {
  readonly #before: MetadataImage
  readonly #partitions = new Map<string, PartitionImage>()
  readonly #brokers = new Map<NodeId, BrokerState>()
  readonly #topics = new Map<TopicId, string>()
  readonly #levels = new Map<string, number>()

  constructor(before: MetadataImage) {
    this.#before = before
  }

  happenings(record: MetadataRecord): Happening[] {
    switch (record.type) {
      case 'topic':
        this.#topics.set(record.topicId, record.name)
        return [{ type: 'topicCreated', topic: record.name, topicId: record.topicId }]
      case 'removeTopic': {
        const { topicId } = record
        return [{ type: 'topicDeleted', topic: this.#topicOf(topicId), topicId }]
      }
      case 'partition':
        return this.#partition(record)
      case 'partitionStates':
        return this.#partitionStates(record)
      case 'uncleanElection': {
        const { leader, isCommanded } = record
        return [{ type: 'uncleanElection', ...this.#nameOf(record), leader, isCommanded }]
      }
      case 'broker':
        return this.#registration(record)
      case 'brokerState':
        return this.#brokerState(record)
      case 'unregisterBroker':
        return [{ type: 'brokerUnregistered', nodeId: record.nodeId }]
      case 'feature': {
        const { name, level } = record
        const previous = this.#levels.get(name) ?? this.#before.features.get(name) ?? 0
        this.#levels.set(name, level)
        return level === previous ? [] : [{ type: 'featureChanged', name, level, previous }]
      }
      default:
        return []
    }
  }

  #partitionStates({ topicId, partitions }: RecordOf<'partitionStates'>): Happening[] {
    return partitions.flatMap((state) => {
      const before = this.#partitionBefore({ topicId, partition: state.partition })
      return before === undefined ? [] : this.#partition(partitionWith(before, state))
    })
  }

  #partitionBefore({ topicId, partition }: { topicId: TopicId; partition: number }) {
    return (
      this.#partitions.get(topicPartitionKey(topicId, partition)) ??
      this.#before.topicsById.get(topicId)?.partitions[partition]
    )
  }

  #partition(after: PartitionImage): Happening[] {
    const { topicId, partition, leader, leaderEpoch, isr, replicas } = after
    const name = this.#nameOf(after)
    const before = this.#partitionBefore(after)
    this.#partitions.set(topicPartitionKey(topicId, partition), after)
    // The first leader of a new partition is part of the creation.
    if (before === undefined) return []
    const happenings: Happening[] = []
    if (leader !== before.leader || leaderEpoch !== before.leaderEpoch) {
      const previous = before.leader
      happenings.push({ type: 'leaderElected', ...name, leader, previous, leaderEpoch })
    }
    const left = before.isr.filter((id) => !isr.includes(id))
    const joined = isr.filter((id) => !before.isr.includes(id))
    if (left.length > 0) happenings.push({ type: 'isrShrunk', ...name, isr, nodes: left })
    if (joined.length > 0) happenings.push({ type: 'isrGrown', ...name, isr, nodes: joined })
    if (isMoving(after) && !isMoving(before)) {
      happenings.push({ type: 'reassignmentStarted', ...name, replicas })
    } else if (isMoving(before) && !isMoving(after)) {
      happenings.push({ type: 'reassignmentEnded', ...name, replicas })
    }
    return happenings
  }

  #registration({ nodeId, brokerEpoch }: RecordOf<'broker'>): Happening[] {
    const before = this.#brokerBefore(nodeId)
    const isReplaced = before !== undefined && !before.isFenced
    this.#brokers.set(nodeId, { isFenced: true, isShuttingDown: false, offlineDirectories: [] })
    const registered: Happening = { type: 'brokerRegistered', nodeId, brokerEpoch }
    return isReplaced ? [{ type: 'brokerFenced', nodeId }, registered] : [registered]
  }

  #brokerState(record: RecordOf<'brokerState'>): Happening[] {
    const { nodeId, isFenced, isShuttingDown, offlineDirectories } = record
    const before = this.#brokerBefore(nodeId)
    this.#brokers.set(nodeId, { isFenced, isShuttingDown, offlineDirectories })
    const happenings: Happening[] = []
    if (before === undefined) return happenings
    if (isFenced && !before.isFenced) happenings.push({ type: 'brokerFenced', nodeId })
    if (!isFenced && before.isFenced) happenings.push({ type: 'brokerUnfenced', nodeId })
    if (isShuttingDown && !before.isShuttingDown) {
      happenings.push({ type: 'brokerShuttingDown', nodeId })
    }
    const directories = offlineDirectories.filter((id) => !before.offlineDirectories.includes(id))
    if (directories.length > 0) happenings.push({ type: 'directoriesFailed', nodeId, directories })
    return happenings
  }

  #brokerBefore(nodeId: NodeId): BrokerState | undefined {
    return this.#brokers.get(nodeId) ?? this.#before.brokers.get(nodeId)
  }

  #nameOf({ topicId, partition }: { topicId: TopicId; partition: number }): PartitionName {
    return { topic: this.#topicOf(topicId), topicId, partition }
  }

  #topicOf(topicId: TopicId): string {
    return this.#topics.get(topicId) ?? this.#before.topicsById.get(topicId)?.name ?? ''
  }
}

type BrokerState = Pick<BrokerImage, 'isFenced' | 'isShuttingDown' | 'offlineDirectories'>

function isMoving({ addingReplicas, removingReplicas }: PartitionImage): boolean {
  return addingReplicas.length + removingReplicas.length > 0
}
