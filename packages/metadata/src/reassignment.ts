/** Moving partitions to other brokers (KIP-455): newcomers are added, and the leaving go when all newcomers are in sync. */
import { kafkaErrors, type NodeId, type TopicId } from '@naru/model'
import type { DecideContext } from './controller-settings.ts'
import { type Decision, isRefusal, type Refusal } from './decision.ts'
import type { MetadataImage, PartitionImage } from './image.ts'
import { type Assignment, changedPartition } from './partition-change.ts'
import { decideEach, type PartitionResult } from './partition-results.ts'
import { changeContext } from './replicas.ts'
import { directoryFor } from './topics.ts'

export interface ReassignmentRequest {
  /** Else a partition keeps its number of replicas (KIP-860). */
  readonly allowsOtherFactor: boolean
  readonly partitions: readonly {
    readonly topicId: TopicId
    readonly partition: number
    /** Null takes back a reassignment that is under way. */
    readonly replicas: readonly NodeId[] | null
  }[]
}

export function decideReassignment(
  image: MetadataImage,
  request: ReassignmentRequest,
  context: DecideContext,
): Decision<{ readonly partitions: readonly PartitionResult[] }> {
  const { allowsOtherFactor } = request
  return decideEach(image, request.partitions, ({ replicas }, { topic, before }) => {
    const after = reassigned(image, { topic, before, replicas, allowsOtherFactor }, context)
    if (isRefusal(after)) return after
    return after === before ? [] : [{ type: 'partition', ...after }]
  })
}

interface Move {
  readonly topic: string
  readonly before: PartitionImage
  readonly replicas: readonly NodeId[] | null
  readonly allowsOtherFactor: boolean
}

function reassigned(
  image: MetadataImage,
  entry: Move,
  { settings }: DecideContext,
): PartitionImage | Refusal {
  const { topic, before } = entry
  const isUnderWay = before.addingReplicas.length + before.removingReplicas.length > 0
  if (entry.replicas === null && !isUnderWay) {
    const message = 'No reassignment is under way'
    return { error: kafkaErrors.NO_REASSIGNMENT_IN_PROGRESS, message }
  }
  // Those that were there before any reassignment: another one begins from them again.
  const base = before.replicas.filter((id) => !before.addingReplicas.includes(id))
  const target = entry.replicas ?? base
  const problem = refusedTarget(image, base, target)
  if (problem !== undefined) {
    return { error: kafkaErrors.INVALID_REPLICA_ASSIGNMENT, message: problem }
  }
  if (!entry.allowsOtherFactor && target.length !== base.length) {
    const message = `The number of replicas would become ${target.length}, and it is ${base.length}`
    return { error: kafkaErrors.INVALID_REPLICATION_FACTOR, message }
  }
  const assignment = assignmentTo(image, { before, base, target })
  const lost = refusedLoss(before, assignment)
  if (lost !== undefined) return { error: kafkaErrors.INVALID_REPLICA_ASSIGNMENT, message: lost }
  return changedPartition(before, { assignment }, changeContext(image, topic, { settings }))
}

function refusedTarget(
  image: MetadataImage,
  base: readonly NodeId[],
  target: readonly NodeId[],
): string | undefined {
  if (target.length === 0) return 'The assignment is empty'
  if (new Set(target).size !== target.length) return 'The assignment names a broker twice'
  const stranger = target.find((id) => !base.includes(id) && !image.brokers.has(id))
  return stranger === undefined ? undefined : `Broker ${stranger} is not registered`
}

/** The wanted replicas come first: the order says who is preferred. */
function assignmentTo(
  image: MetadataImage,
  move: { before: PartitionImage; base: readonly NodeId[]; target: readonly NodeId[] },
): Assignment {
  const { before, base, target } = move
  const removingReplicas = base.filter((id) => !target.includes(id))
  const replicas = [...target, ...removingReplicas]
  const directories = replicas.map((id) => {
    const at = before.replicas.indexOf(id)
    return before.directories[at] ?? directoryFor(image, id, before.partition)
  })
  const addingReplicas = target.filter((id) => !base.includes(id))
  return { replicas, directories, addingReplicas, removingReplicas }
}

/** Newcomers that are dropped again take with them what only they have. */
function refusedLoss(before: PartitionImage, { replicas }: Assignment): string | undefined {
  const stays = (id: NodeId) => replicas.includes(id)
  const inSync = before.isr.filter(stays)
  if (inSync.length === before.isr.length && before.elr.every(stays)) return undefined
  if (before.isr.length >= before.minIsr && inSync.length < before.minIsr) {
    return `It would leave ${inSync.length} replicas in sync of the ${before.minIsr} that are needed`
  }
  const isComplete = inSync.length > 0 || before.elr.some(stays)
  return isComplete ? undefined : 'It would leave no complete replica'
}
