/**
 * The one way in which a partition's replication state changes: who is in sync (ISR), who else is known to be complete (ELR,
 * KIP-966), who leads. It never needs to know why, and it never looks at a clock.
 */
import type { NodeId } from '@naru/model'
import type { PartitionImage } from './image.ts'

/** Whether a broker's replica may lead; one that is `stopping` goes on only while nobody else can. */
export type ReplicaActivity = 'active' | 'stopping' | 'inactive'

export interface Assignment {
  readonly replicas: readonly NodeId[]
  readonly directories: readonly string[]
  readonly addingReplicas: readonly NodeId[]
  readonly removingReplicas: readonly NodeId[]
}

export interface PartitionChange {
  /** Who shall be in sync; the same as before when it is left out. */
  readonly targetIsr?: readonly NodeId[]
  /** A replica that is not complete any more: it may have lost the end of its log, or all of it. */
  readonly unclean?: { readonly nodeId: NodeId; readonly lost: 'end' | 'everything' }
  /** Leads if it is in sync, whoever leads now. */
  readonly preferred?: NodeId
  readonly isRecovering?: boolean
  readonly isFlushed?: boolean
  /** The setting has changed: `minIsr` is measured anew. */
  readonly isMinIsrChange?: boolean
  /** Other replicas: the start, end or reversal of a reassignment. */
  readonly assignment?: Assignment
  /** A replica is emptied: another leader epoch begins, so that nothing counts which its leader has heard of it. */
  readonly isEmptied?: boolean
  /** Raises the partition epoch though nothing else changes, so that requests under way are void. */
  readonly bump?: boolean
}

export interface ChangeContext {
  activityOf(partition: PartitionImage, nodeId: NodeId): ReplicaActivity
  /** `min.insync.replicas` as it is set for the topic. */
  readonly minIsrSetting: number
}

/** The partition after the change; the same object when nothing changes. */
export function changedPartition(
  before: PartitionImage,
  change: PartitionChange,
  context: ChangeContext,
): PartitionImage {
  const assigned = assignedPartition(before, change, context)
  const targetIsr = (change.targetIsr ?? before.isr).filter((id) => assigned.replicas.includes(id))
  const minIsr =
    change.isMinIsrChange || assigned !== before
      ? minIsrOf(assigned, context.minIsrSetting)
      : before.minIsr
  const kept = eligible(assigned, { minIsr, targetIsr, unclean: change.unclean })
  const elected = elect(
    assigned,
    { isr: targetIsr, ...kept, minIsr, preferred: change.preferred },
    context,
  )
  const after = withEpochs(before, assigned, {
    ...elected,
    minIsr,
    isFlushed: change.isFlushed ?? before.isFlushed,
    isRecovering: change.isRecovering ?? before.isRecovering,
    isEmptied: change.isEmptied ?? false,
    bump: change.bump ?? false,
  })
  // An election from the ELR may be what a reassignment was waiting for.
  const isComplete = finishedAssignment(after, after.isr, context) !== undefined
  return isComplete ? changedPartition(after, {}, context) : after
}

/** During a reassignment the newcomers do not count, or a partition of one replica could not be written to until they have come. */
function minIsrOf(assignment: Assignment, setting: number): number {
  const { replicas, addingReplicas } = assignment
  return Math.min(setting, replicas.length - addingReplicas.length)
}

/** Replicas as they shall be: changed by request, or by a reassignment that is complete (KIP-455). */
function assignedPartition(
  before: PartitionImage,
  change: PartitionChange,
  context: ChangeContext,
): PartitionImage {
  const assignment = change.assignment ?? before
  const targetIsr = change.targetIsr ?? before.isr
  const finished = finishedAssignment(assignment, targetIsr, context)
  const now = finished ?? change.assignment
  if (now === undefined) return before
  const { replicas, directories, addingReplicas, removingReplicas } = now
  const left = before.replicas.filter((id) => !replicas.includes(id))
  const held = before.removedReplicas.filter((id) => !replicas.includes(id))
  const removedReplicas = [...held, ...left]
  return { ...before, replicas, directories, addingReplicas, removingReplicas, removedReplicas }
}

/** Undefined while some newcomer is not in sync, or too few would be left. */
function finishedAssignment(
  assignment: Assignment,
  targetIsr: readonly NodeId[],
  context: ChangeContext,
): Assignment | undefined {
  const { replicas, directories, addingReplicas, removingReplicas } = assignment
  if (addingReplicas.length === 0 && removingReplicas.length === 0) return undefined
  if (!addingReplicas.every((id) => targetIsr.includes(id))) return undefined
  const staying = replicas.filter((id) => !removingReplicas.includes(id))
  const inSync = targetIsr.filter((id) => staying.includes(id))
  if (inSync.length < Math.min(context.minIsrSetting, staying.length)) return undefined
  return {
    replicas: staying,
    directories: directories.filter((_, at) => staying.includes(replicas[at] as NodeId)),
    addingReplicas: [],
    removingReplicas: [],
  }
}

/**
 * Who is complete though not in sync. While the ISR is below `minIsr` nothing is committed, so whoever leaves it stays complete;
 * above, everybody outside falls behind.
 */
function eligible(
  partition: PartitionImage,
  change: {
    readonly minIsr: number
    readonly targetIsr: readonly NodeId[]
    readonly unclean: PartitionChange['unclean']
  },
): { elr: readonly NodeId[]; lastKnownElr: readonly NodeId[] } {
  const { replicas, lastKnownElr: known } = partition
  const { minIsr, targetIsr, unclean } = change
  if (targetIsr.length >= minIsr) return { elr: [], lastKnownElr: [] }
  const candidates = [...new Set([...partition.elr, ...partition.isr])].filter((id) =>
    replicas.includes(id),
  )
  const elr = candidates.filter((id) => !targetIsr.includes(id) && id !== unclean?.nodeId)
  let lastKnownElr = known.filter((id) => replicas.includes(id))
  if (unclean?.lost === 'everything') {
    lastKnownElr = lastKnownElr.filter((id) => id !== unclean.nodeId)
  } else if (unclean !== undefined && candidates.includes(unclean.nodeId)) {
    lastKnownElr = [...new Set([...lastKnownElr, unclean.nodeId])]
  }
  return { elr, lastKnownElr }
}

interface Elected {
  readonly leader: NodeId
  readonly isr: readonly NodeId[]
  readonly elr: readonly NodeId[]
  readonly lastKnownElr: readonly NodeId[]
}

/** From the ISR; from the ELR only when the ISR is empty; then nobody. The order is that of the replicas. */
function elect(
  partition: PartitionImage,
  among: {
    readonly isr: readonly NodeId[]
    readonly elr: readonly NodeId[]
    readonly lastKnownElr: readonly NodeId[]
    readonly minIsr: number
    readonly preferred: NodeId | undefined
  },
  context: ChangeContext,
): Elected {
  const { replicas, leader } = partition
  const { isr, elr, lastKnownElr, minIsr, preferred } = among
  const isActive = (id: NodeId) => context.activityOf(partition, id) === 'active'
  const mayLead = (id: NodeId) => isr.includes(id) && isActive(id)
  const first = [preferred ?? leader, leader].find(mayLead)
  const found = first ?? replicas.find(mayLead)
  if (found !== undefined) return { leader: found, isr, elr, lastKnownElr }
  if (isr.includes(leader) && context.activityOf(partition, leader) === 'stopping') {
    return { leader, isr, elr, lastKnownElr }
  }
  const last =
    isr.length === 0 ? replicas.find((id) => elr.includes(id) && isActive(id)) : undefined
  if (last === undefined) return { leader: -1, isr, elr, lastKnownElr }
  if (minIsr <= 1) return { leader: last, isr: [last], elr: [], lastKnownElr: [] }
  return { leader: last, isr: [last], elr: elr.filter((id) => id !== last), lastKnownElr }
}

interface Outcome extends Elected {
  readonly minIsr: number
  readonly isFlushed: boolean
  readonly isRecovering: boolean
  readonly isEmptied: boolean
  readonly bump: boolean
}

/** `assigned`: with the replicas that it has now. */
function withEpochs(
  before: PartitionImage,
  assigned: PartitionImage,
  after: Outcome,
): PartitionImage {
  const { bump, isEmptied } = after
  const isOtherLeader = after.leader !== before.leader
  const isReassigned =
    assigned !== before &&
    (before.replicas.some((id) => !assigned.replicas.includes(id)) ||
      (before.addingReplicas.length > 0 && assigned.addingReplicas.length === 0))
  const isChanged =
    isOtherLeader ||
    isReassigned ||
    isEmptied ||
    after.minIsr !== before.minIsr ||
    after.isFlushed !== before.isFlushed ||
    after.isRecovering !== before.isRecovering ||
    !sameMembers(after.isr, before.isr) ||
    !sameMembers(after.elr, before.elr) ||
    !sameMembers(after.lastKnownElr, before.lastKnownElr) ||
    isOtherAssignment(before, assigned)
  if (!isChanged && !bump) return before
  return {
    topicId: before.topicId,
    partition: before.partition,
    replicas: assigned.replicas,
    directories: assigned.directories,
    isr: after.isr,
    leader: after.leader,
    leaderEpoch: before.leaderEpoch + (isOtherLeader || isReassigned || isEmptied ? 1 : 0),
    partitionEpoch: before.partitionEpoch + 1,
    elr: after.elr,
    lastKnownElr: after.lastKnownElr,
    minIsr: after.minIsr,
    isFlushed: after.isFlushed,
    isRecovering: after.isRecovering,
    addingReplicas: assigned.addingReplicas,
    removingReplicas: assigned.removingReplicas,
    removedReplicas: assigned.removedReplicas,
  }
}

function isOtherAssignment(before: PartitionImage, assigned: PartitionImage): boolean {
  return (
    assigned !== before &&
    (!sameOrder(assigned.replicas, before.replicas) ||
      !sameOrder(assigned.directories, before.directories) ||
      !sameMembers(assigned.addingReplicas, before.addingReplicas) ||
      !sameMembers(assigned.removingReplicas, before.removingReplicas))
  )
}

function sameMembers<T>(a: readonly T[], b: readonly T[]): boolean {
  return a === b || (a.length === b.length && a.every((element) => b.includes(element)))
}

function sameOrder<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((element, at) => element === b[at])
}
