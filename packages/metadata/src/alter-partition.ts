/** A leader's proposals for the in-sync set of its partitions. */
import { type KafkaError, kafkaErrors, type NodeId, type TopicId } from '@naru/model'
import { type BrokerKey, currentBroker } from './brokers.ts'
import type { DecideContext } from './controller-settings.ts'
import { type Decision, isRefusal, type Refusal } from './decision.ts'
import type { BrokerImage, MetadataImage, PartitionImage } from './image.ts'
import { changedPartition } from './partition-change.ts'
import { type ChangedPartition, partitionRecords } from './partition-records.ts'
import { changeContext, isActive, isDirectoryOnline, topicSetting } from './replicas.ts'

export interface ProposedIsr {
  readonly topicId: TopicId
  readonly partition: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  /** `brokerEpoch` is -1 for members that are in sync already: those that join must be the process that the leader has met (KIP-903). */
  readonly isr: readonly { nodeId: NodeId; brokerEpoch: bigint }[]
  /** Some replica may have to be cut back yet after an unclean election. */
  readonly isRecovering: boolean
  /** Everything committed is on the disks of the proposed members. */
  readonly hasFlushed: boolean
  /** Raise the partition epoch in any case, which voids all earlier proposals. */
  readonly bump: boolean
}

export interface AlteredPartition {
  readonly topicId: TopicId
  readonly partition: number
  readonly errorCode: number
  /** The state that holds now; that of no partition at all after an error. */
  readonly isr: readonly NodeId[]
  readonly leader: NodeId
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly minIsr: number
  readonly isFlushed: boolean
  readonly isRecovering: boolean
}

export function decideAlterPartition(
  image: MetadataImage,
  request: BrokerKey & { readonly partitions: readonly ProposedIsr[] },
  context: DecideContext,
): Decision<{ readonly partitions: readonly AlteredPartition[] } | Refusal> {
  const sender = currentBroker(image, request)
  if (isRefusal(sender)) return { records: [], response: sender }
  const changes: ChangedPartition[] = []
  const seen = new Set<PartitionImage>()
  const partitions = request.partitions.map((proposed) => {
    const { topicId, partition } = proposed
    const topic = image.topicsById.get(topicId)
    const before = topic?.partitions[partition]
    const error =
      topic === undefined
        ? kafkaErrors.UNKNOWN_TOPIC_ID
        : before === undefined
          ? kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION
          : seen.has(before)
            ? kafkaErrors.INVALID_REQUEST
            : refusedProposal(image, { sender, before, proposed })
    if (topic === undefined || before === undefined || error !== undefined) {
      return unaltered(proposed, error as KafkaError)
    }
    seen.add(before)
    const after = altered(image, { sender, topic: topic.name, before, proposed }, context)
    if (after !== before) changes.push({ before, after })
    const { isr, leader, leaderEpoch, partitionEpoch, minIsr, isFlushed, isRecovering } = after
    const state = { isr, leader, leaderEpoch, partitionEpoch, minIsr, isFlushed, isRecovering }
    return { topicId, partition, errorCode: kafkaErrors.NONE.code, ...state }
  })
  return { records: partitionRecords(image, changes), response: { partitions } }
}

interface Proposal {
  readonly sender: BrokerImage
  readonly before: PartitionImage
  readonly proposed: ProposedIsr
}

/** In the order of Kafka's checks. Who knows of later epochs than the controller has met a newer controller. */
function refusedProposal(
  image: MetadataImage,
  { sender, before, proposed }: Proposal,
): KafkaError | undefined {
  const { leaderEpoch, partitionEpoch, isr } = proposed
  if (leaderEpoch > before.leaderEpoch) return kafkaErrors.NOT_CONTROLLER
  if (partitionEpoch > before.partitionEpoch) return kafkaErrors.NOT_CONTROLLER
  if (leaderEpoch < before.leaderEpoch) return kafkaErrors.FENCED_LEADER_EPOCH
  if (sender.nodeId !== before.leader) return kafkaErrors.INVALID_REQUEST
  if (partitionEpoch < before.partitionEpoch) return kafkaErrors.INVALID_UPDATE_VERSION
  const members = isr.map(({ nodeId }) => nodeId)
  if (new Set(members).size !== members.length) return kafkaErrors.INVALID_REQUEST
  if (!members.every((id) => before.replicas.includes(id))) return kafkaErrors.INVALID_REQUEST
  if (!members.includes(sender.nodeId)) return kafkaErrors.INVALID_REQUEST
  // Others may join meanwhile, unlike in KIP-704: it lasts until the last replica is cut back, which may be away for good.
  if (proposed.isRecovering && !before.isRecovering) return kafkaErrors.INVALID_REQUEST
  const isEligible = isr.every((member) => mayBeInSync(image, { sender, before }, member))
  return isEligible ? undefined : kafkaErrors.INELIGIBLE_REPLICA
}

function mayBeInSync(
  image: MetadataImage,
  { sender, before }: Omit<Proposal, 'proposed'>,
  member: { nodeId: NodeId; brokerEpoch: bigint },
): boolean {
  const { nodeId, brokerEpoch } = member
  const broker = image.brokers.get(nodeId)
  if (broker === undefined) return false
  // A leader that is about to stop stays in sync until somebody can take over.
  if (!isActive(broker) && nodeId !== sender.nodeId) return false
  if (!isDirectoryOnline(broker, before)) return false
  if (brokerEpoch === -1n) return before.isr.includes(nodeId)
  return brokerEpoch === broker.brokerEpoch
}

function altered(
  image: MetadataImage,
  { sender, topic, before, proposed }: Proposal & { topic: string },
  { settings }: DecideContext,
): PartitionImage {
  const { isRecovering, bump } = proposed
  const members = proposed.isr.map(({ nodeId }) => nodeId)
  // The one that is about to stop hands over as soon as it can.
  const staying = sender.isShuttingDown ? members.filter((id) => id !== sender.nodeId) : members
  const targetIsr = staying.length > 0 ? staying : members
  const after = changedPartition(
    before,
    { targetIsr, isRecovering, bump },
    changeContext(image, topic, { settings }),
  )
  // Eligible replicas that are away may lack what was acknowledged without a flush.
  const isNowFlushed =
    proposed.hasFlushed &&
    !before.isFlushed &&
    after.elr.length === 0 &&
    topicSetting(image, topic, { name: 'naru.flush', settings }) === 'ack'
  if (!isNowFlushed) return after
  const change = { targetIsr, isRecovering, bump, isFlushed: true }
  return changedPartition(before, change, changeContext(image, topic, { settings }))
}

function unaltered({ topicId, partition }: ProposedIsr, error: KafkaError): AlteredPartition {
  const nothing = { isr: [], leader: -1, leaderEpoch: -1, partitionEpoch: -1, minIsr: -1 }
  const flags = { isFlushed: false, isRecovering: false }
  return { topicId, partition, errorCode: error.code, ...nothing, ...flags }
}
