/**
 * Decisions about brokers: registration, fencing, shutdown. What one means for partitions goes into the same batch, up to a limit.
 * Beyond it, batches of partitions go first, each a step that could stand alone: a replica may leave the ISR at any time. The
 * last batch has the rest and the broker's record, so a broker that is fenced, or registered anew, has left everywhere.
 */
import { kafkaErrors, type NodeId, zeroTopicId } from '@naru/model'
import type { DecideContext } from './controller-settings.ts'
import { type Decision, isRefusal, type Refusal, refusal } from './decision.ts'
import type { BrokerImage, MetadataImage, PartitionImage } from './image.ts'
import { type ChangeContext, changedPartition, type PartitionChange } from './partition-change.ts'
import { type ChangedPartition, partitionRecords } from './partition-records.ts'
import type { MetadataRecord } from './records.ts'
import { changeContext, isActive, isDirectoryOnline } from './replicas.ts'

/** A registration that a command speaks for. */
export interface BrokerKey {
  readonly nodeId: NodeId
  readonly brokerEpoch: bigint
}

/** The broker of that registration: an older process of the same broker has no say. */
export function currentBroker(image: MetadataImage, key: BrokerKey): BrokerImage | Refusal {
  const { nodeId, brokerEpoch } = key
  const broker = image.brokers.get(nodeId)
  if (broker === undefined) {
    return refusal(kafkaErrors.BROKER_ID_NOT_REGISTERED, `Broker ${nodeId} is not registered`)
  }
  if (broker.brokerEpoch === brokerEpoch) return broker
  const message = `Broker ${nodeId} has epoch ${broker.brokerEpoch}, not ${brokerEpoch}`
  return refusal(kafkaErrors.STALE_BROKER_EPOCH, message)
}

/** Takes a broker out of every ISR; its leaderships go to others that are in sync, or eligible. */
export function decideFence(
  image: MetadataImage,
  key: BrokerKey,
  context: DecideContext,
): Decision<object | Refusal> {
  const broker = currentBroker(image, key)
  if (isRefusal(broker)) return { records: [], response: broker }
  if (broker.isFenced) return { records: [], response: {} }
  const fenced = { ...broker, isFenced: true, isShuttingDown: false }
  const changes = withoutReplicasOf(image, fenced, context)
  if (changes.isPart) return { ...changes, response: {} }
  return { records: [stateRecord(fenced), ...changes.records], response: {} }
}

/**
 * Lets a broker take part. Partitions without a leader get it when it is the last that is complete; those that are too many for one
 * batch come after it, so for a broker that takes part already there may be something left to do.
 */
export function decideUnfence(
  image: MetadataImage,
  key: BrokerKey,
  context: DecideContext,
): Decision<object | Refusal> {
  const broker = currentBroker(image, key)
  if (isRefusal(broker)) return { records: [], response: broker }
  const unfenced = { ...broker, isFenced: false, isShuttingDown: false }
  const { nodeId } = broker
  const elections = partitionChanges(image, { broker: unfenced, context }, (partition) => {
    const isCandidate = partition.isr.includes(nodeId) || partition.elr.includes(nodeId)
    return partition.leader === -1 && isCandidate ? {} : undefined
  })
  const states = isActive(broker) ? [] : [stateRecord(unfenced)]
  return { ...elections, records: [...states, ...elections.records], response: {} }
}

export interface RemainingLeaderships {
  /** Partitions that the broker leads still: nobody else is in sync. */
  readonly remaining: number
  /** Of these, those with another live replica that may catch up. */
  readonly movable: number
}

/** Moves what a broker leads to others before it stops. May be repeated: what could not move then may move now. */
export function decideControlledShutdown(
  image: MetadataImage,
  key: BrokerKey,
  context: DecideContext,
): Decision<RemainingLeaderships | Refusal> {
  const broker = currentBroker(image, key)
  if (isRefusal(broker)) return { records: [], response: broker }
  if (broker.isFenced) return { records: [], response: { remaining: 0, movable: 0 } }
  const stopping = { ...broker, isShuttingDown: true }
  const { nodeId } = broker
  let remaining = 0
  let movable = 0
  const canLead = (partition: PartitionImage, other: NodeId) => {
    const candidate = image.brokers.get(other)
    if (other === nodeId || candidate === undefined) return false
    return isActive(candidate) && isDirectoryOnline(candidate, partition)
  }
  const moves = partitionChanges(image, { broker: stopping, context }, (partition) => {
    if (!partition.isr.includes(nodeId)) return undefined
    if (partition.isr.some((other) => canLead(partition, other))) {
      return { targetIsr: partition.isr.filter((other) => other !== nodeId) }
    }
    if (partition.leader !== nodeId) return undefined
    remaining++
    if (partition.replicas.some((other) => canLead(partition, other))) movable++
    return undefined
  })
  const response = { remaining, movable }
  if (moves.isPart || broker.isShuttingDown) return { ...moves, response }
  return { records: [stateRecord(stopping), ...moves.records], response }
}

/** Directories that failed: their replicas are out of sync and lead nothing, those of other directories go on. */
export function decideOfflineDirectories(
  image: MetadataImage,
  key: BrokerKey & { readonly directories: readonly string[] },
  context: DecideContext,
): Decision<object | Refusal> {
  const broker = currentBroker(image, key)
  if (isRefusal(broker)) return { records: [], response: broker }
  const failed = key.directories.filter((id) => !broker.offlineDirectories.includes(id))
  if (failed.length === 0) return { records: [], response: {} }
  const { nodeId } = broker
  const offlineDirectories = [...broker.offlineDirectories, ...new Set(failed)]
  const now = { ...broker, offlineDirectories }
  const changes = partitionChanges(image, { broker: now, context }, (partition) => {
    if (!partition.isr.includes(nodeId) || isDirectoryOnline(now, partition)) return undefined
    return { targetIsr: partition.isr.filter((other) => other !== nodeId) }
  })
  if (changes.isPart) return { ...changes, response: {} }
  return { records: [stateRecord(now), ...changes.records], response: {} }
}

/** Forgets a broker. Its replicas count for nothing any more, since whoever comes by that id may come with an empty disk. */
export function decideUnregister(
  image: MetadataImage,
  nodeId: NodeId,
  context: DecideContext,
): Decision<object | Refusal> {
  const broker = image.brokers.get(nodeId)
  if (broker === undefined) {
    const message = `Broker ${nodeId} is not registered`
    return { records: [], response: refusal(kafkaErrors.BROKER_ID_NOT_REGISTERED, message) }
  }
  const gone = { ...broker, isFenced: true, isShuttingDown: false }
  const changes = partitionChanges(image, { broker: gone, context }, (partition) =>
    isCounted(partition, nodeId)
      ? {
          targetIsr: partition.isr.filter((other) => other !== nodeId),
          unclean: { nodeId, lost: 'everything' },
        }
      : undefined,
  )
  if (changes.isPart) return { ...changes, response: {} }
  const { brokerEpoch } = broker
  const last: MetadataRecord = { type: 'unregisterBroker', nodeId, brokerEpoch }
  return { records: [...changes.records, last], response: {} }
}

/** Whether a broker's replica counts as complete, or as what was complete last. */
export function isCounted(partition: PartitionImage, nodeId: NodeId): boolean {
  const { isr, elr, lastKnownElr } = partition
  return isr.includes(nodeId) || elr.includes(nodeId) || lastKnownElr.includes(nodeId)
}

/** `broker` as it will be. */
export function withoutReplicasOf(
  image: MetadataImage,
  broker: BrokerImage,
  context: DecideContext,
): PartitionChanges {
  const { nodeId } = broker
  return partitionChanges(image, { broker, context }, (partition) =>
    partition.isr.includes(nodeId)
      ? { targetIsr: partition.isr.filter((other) => other !== nodeId) }
      : undefined,
  )
}

interface PartitionChanges {
  readonly records: readonly MetadataRecord[]
  /** There are more. */
  readonly isPart: boolean
}

/**
 * Goes through all partitions, with a broker as it will be; `changeOf` says what becomes of one. It must have nothing to say about
 * a partition that has changed so, or a decision in pieces would never end.
 */
export function partitionChanges(
  image: MetadataImage,
  { broker, context }: { broker: BrokerImage; context: DecideContext },
  changeOf: (partition: PartitionImage) => PartitionChange | undefined,
): PartitionChanges {
  const { settings } = context
  const changes: ChangedPartition[] = []
  for (const { name, partitions } of image.topics.values()) {
    let topicContext: ChangeContext | undefined
    for (const before of partitions) {
      const change = changeOf(before)
      if (change === undefined) continue
      topicContext ??= changeContext(image, name, { settings, broker })
      const after = changedPartition(before, change, topicContext)
      if (after === before) continue
      if (changes.length >= settings.changesPerBatch) {
        return { records: partitionRecords(image, changes), isPart: true }
      }
      changes.push({ before, after })
    }
  }
  return { records: partitionRecords(image, changes), isPart: false }
}

function stateRecord(broker: BrokerImage): MetadataRecord {
  const { nodeId, brokerEpoch, isFenced, isShuttingDown, offlineDirectories } = broker
  const state = { isFenced, isShuttingDown, offlineDirectories }
  return { type: 'brokerState', nodeId, brokerEpoch, ...state }
}

/** A registration of the first version, when a cluster had one broker and no record of how it stopped. */
export function isFirstVersion(broker: BrokerImage): boolean {
  return broker.metadataDirectory === zeroTopicId
}
