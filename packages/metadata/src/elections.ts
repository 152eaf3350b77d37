/** Elections that somebody asks for: the preferred leader, or one that may have lost data. */
import { kafkaErrors, type NodeId, type TopicId } from '@naru/model'
import type { DecideContext } from './controller-settings.ts'
import type { Decision, Refusal } from './decision.ts'
import type { MetadataImage, PartitionImage } from './image.ts'
import { changedPartition } from './partition-change.ts'
import { decideEach, type PartitionResult } from './partition-results.ts'
import type { MetadataRecord } from './records.ts'
import { changeContext } from './replicas.ts'
import { allowsUnclean } from './unclean-elections.ts'

export const electionKinds = ['preferred', 'unclean'] as const
export type ElectionKind = (typeof electionKinds)[number]

/** What a replica answered when it was asked how far its log goes. */
export interface Candidate {
  readonly nodeId: NodeId
  readonly brokerEpoch: bigint
  readonly lastEpoch: number
  readonly logEndOffset: bigint
}

export interface ElectionRequest {
  readonly kind: ElectionKind
  /** An operator asks; else an unclean election needs the topic's permission. */
  readonly isCommanded: boolean
  readonly partitions: readonly {
    readonly topicId: TopicId
    readonly partition: number
    /** For an unclean election. */
    readonly candidates: readonly Candidate[]
  }[]
}

export function decideElections(
  image: MetadataImage,
  request: ElectionRequest,
  context: DecideContext,
): Decision<{ readonly partitions: readonly PartitionResult[] }> {
  const { kind, isCommanded } = request
  const decideOne = kind === 'preferred' ? preferred : unclean
  return decideEach(image, request.partitions, ({ candidates }, found) =>
    decideOne(image, { ...found, candidates, isCommanded }, context),
  )
}

interface Entry {
  readonly topic: string
  readonly before: PartitionImage
  readonly candidates: readonly Candidate[]
  readonly isCommanded: boolean
}

function preferred(
  image: MetadataImage,
  { topic, before }: Entry,
  { settings }: DecideContext,
): readonly MetadataRecord[] | Refusal {
  const first = before.replicas[0] as NodeId
  if (before.leader === first) {
    return { error: kafkaErrors.ELECTION_NOT_NEEDED, message: `Broker ${first} leads already` }
  }
  const context = changeContext(image, topic, { settings })
  const after = changedPartition(before, { preferred: first }, context)
  if (after.leader === first) return [{ type: 'partition', ...after }]
  const message = `Broker ${first} is not in sync or cannot lead`
  return { error: kafkaErrors.PREFERRED_LEADER_NOT_AVAILABLE, message }
}

function unclean(
  image: MetadataImage,
  { topic, before, candidates, isCommanded }: Entry,
  { settings }: DecideContext,
): readonly MetadataRecord[] | Refusal {
  if (before.leader !== -1) {
    const message = `Broker ${before.leader} leads already`
    return { error: kafkaErrors.ELECTION_NOT_NEEDED, message }
  }
  const context = changeContext(image, topic, { settings })
  const clean = changedPartition(before, {}, context)
  if (clean.leader !== -1) return [{ type: 'partition', ...clean }]
  if (!isCommanded && !allowsUnclean(image, topic, settings)) {
    const message = 'No complete replica is available, and the topic allows no other to lead'
    return { error: kafkaErrors.ELIGIBLE_LEADERS_NOT_AVAILABLE, message }
  }
  const usable = candidates.filter(
    ({ nodeId, brokerEpoch }) =>
      before.replicas.includes(nodeId) &&
      image.brokers.get(nodeId)?.brokerEpoch === brokerEpoch &&
      context.activityOf(before, nodeId) === 'active',
  )
  const chosen = mostComplete(before, usable)
  if (chosen === undefined) {
    const message = 'No replica that was asked is still there'
    return { error: kafkaErrors.ELIGIBLE_LEADERS_NOT_AVAILABLE, message }
  }
  const change = { targetIsr: [chosen], isRecovering: true }
  // From now on what the chosen one has is all that there is: who had more, or may have, is not complete any more but different.
  const after = { ...changedPartition(before, change, context), elr: [], lastKnownElr: [] }
  const { topicId, partition, leader, leaderEpoch } = after
  return [
    { type: 'uncleanElection', topicId, partition, leader, leaderEpoch, isCommanded },
    { type: 'partition', ...after },
  ]
}

/** Of those that were complete last, if any answered; the longest log of the latest epoch; then the order of the replicas. */
function mostComplete(
  { replicas, lastKnownElr }: PartitionImage,
  candidates: readonly Candidate[],
): NodeId | undefined {
  const known = candidates.filter(({ nodeId }) => lastKnownElr.includes(nodeId))
  const [best] = [...(known.length > 0 ? known : candidates)].sort(
    (a, b) =>
      b.lastEpoch - a.lastEpoch ||
      Number(b.logEndOffset - a.logEndOffset) ||
      replicas.indexOf(a.nodeId) - replicas.indexOf(b.nodeId),
  )
  return best?.nodeId
}
