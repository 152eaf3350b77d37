/** What happened in the cluster, as the log tells it: the same on every broker, with the time and the reason of the decision. */
import type { NodeId, TopicId } from '@naru/model'
import type { MetadataImage, PartitionImage, PartitionState } from './image.ts'
import type { MetadataRecord, RecordOf } from './records.ts'
import { replay } from './replay.ts'

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

/** Replays the records of an entry, and tells what they did. */
export function replayTelling(
  image: MetadataImage,
  records: readonly MetadataRecord[],
): TimelineEvent[] {
  const events: TimelineEvent[] = []
  let timestampMs = -1
  let cause = ''
  // Not copied: a fence of a broker that leads 10,000 partitions is 20,000 events, in the middle of a failover.
  const tell = (happening: Happening) => {
    events.push(Object.assign(happening, { timestampMs, cause }))
  }
  for (const record of records) {
    if (record.type === 'change') {
      timestampMs = Number(record.timestampMs)
      cause = record.cause
    }
    const teller = tellers[record.type] as Teller | undefined
    teller?.(image, record, tell)
    replay(image, record)
  }
  return events
}

type Tell = (happening: Happening) => void

type Teller = (image: MetadataImage, record: MetadataRecord, tell: Tell) => void

type Tellers = {
  [T in MetadataRecord['type']]?: (image: MetadataImage, record: RecordOf<T>, tell: Tell) => void
}

/** What a record is about to do to the image. */
const tellers: Tellers = {
  topic(_, { name: topic, topicId }, tell) {
    tell({ type: 'topicCreated', topic, topicId })
  },
  removeTopic(image, { topicId }, tell) {
    tell({ type: 'topicDeleted', topic: nameOf(image, topicId), topicId })
  },
  partition(image, after, tell) {
    const { topicId, partition, replicas } = after
    const topic = nameOf(image, topicId)
    const before = image.topicsById.get(topicId)?.partitions[partition]
    // The first leader of a new partition is part of the creation.
    if (before === undefined) return
    tellOfState({ topic, before, after }, tell)
    if (isMoving(after) === isMoving(before)) return
    const type = isMoving(after) ? 'reassignmentStarted' : 'reassignmentEnded'
    tell({ type, topic, topicId, partition, replicas })
  },
  partitionStates(image, { topicId, partitions }, tell) {
    const topic = image.topicsById.get(topicId)
    for (const after of partitions) {
      const before = topic?.partitions[after.partition]
      if (topic !== undefined && before !== undefined) {
        tellOfState({ topic: topic.name, before, after }, tell)
      }
    }
  },
  uncleanElection(image, { topicId, partition, leader, isCommanded }, tell) {
    const topic = nameOf(image, topicId)
    tell({ type: 'uncleanElection', topic, topicId, partition, leader, isCommanded })
  },
  broker({ brokers }, { nodeId, brokerEpoch }, tell) {
    if (brokers.get(nodeId)?.isFenced === false) tell({ type: 'brokerFenced', nodeId })
    tell({ type: 'brokerRegistered', nodeId, brokerEpoch })
  },
  brokerState({ brokers }, { nodeId, isFenced, isShuttingDown, offlineDirectories }, tell) {
    const before = brokers.get(nodeId)
    if (before === undefined) return
    if (isFenced !== before.isFenced) {
      tell({ type: isFenced ? 'brokerFenced' : 'brokerUnfenced', nodeId })
    }
    if (isShuttingDown && !before.isShuttingDown) tell({ type: 'brokerShuttingDown', nodeId })
    const directories = without(offlineDirectories, before.offlineDirectories)
    if (directories.length > 0) tell({ type: 'directoriesFailed', nodeId, directories })
  },
  unregisterBroker(_, { nodeId }, tell) {
    tell({ type: 'brokerUnregistered', nodeId })
  },
  feature({ features }, { name, level }, tell) {
    const previous = features.get(name) ?? 0
    if (level !== previous) tell({ type: 'featureChanged', name, level, previous })
  },
}

/** Field by field: a failover tells of thousands of partitions. */
function tellOfState(
  { topic, before, after }: { topic: string; before: PartitionImage; after: PartitionState },
  tell: Tell,
): void {
  const { topicId, partition, leader: previous } = before
  const { leader, leaderEpoch, isr } = after
  if (leader !== previous || leaderEpoch !== before.leaderEpoch) {
    tell({ type: 'leaderElected', topic, topicId, partition, leader, previous, leaderEpoch })
  }
  const left = without(before.isr, isr)
  const joined = without(isr, before.isr)
  if (left.length > 0) tell({ type: 'isrShrunk', topic, topicId, partition, isr, nodes: left })
  if (joined.length > 0) tell({ type: 'isrGrown', topic, topicId, partition, isr, nodes: joined })
}

function without<T>(all: readonly T[], others: readonly T[]): readonly T[] {
  return all.filter((each) => !others.includes(each))
}

function nameOf(image: MetadataImage, topicId: TopicId): string {
  return image.topicsById.get(topicId)?.name ?? ''
}

function isMoving({ addingReplicas, removingReplicas }: PartitionImage): boolean {
  return addingReplicas.length + removingReplicas.length > 0
}
