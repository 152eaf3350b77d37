/** What there is to say about one replica of a partition. */
import {
  type BrokerImage,
  directoryOf,
  isDirectoryOnline,
  type MetadataImage,
  type PartitionImage,
} from '@naru/metadata'
import type { NodeId } from '@naru/model'

/** `eligible`: out of sync, and known to have all that was acknowledged. `lastKnown`: was so until it lost data. */
export type ReplicaState = 'leader' | 'inSync' | 'eligible' | 'lastKnown' | 'outOfSync'

export interface ReplicaExplanation {
  readonly nodeId: NodeId
  readonly state: ReplicaState
  /** Whether its broker and its directory would let it lead. */
  readonly isAvailable: boolean
  readonly isAdded: boolean
  readonly isRemoved: boolean
  /** Why it is as it is, in words. */
  readonly reason: string
}

export function explainReplica(
  image: MetadataImage,
  partition: PartitionImage,
  nodeId: NodeId,
): ReplicaExplanation {
  const state = stateOf(partition, nodeId)
  const obstacle = obstacleOf(image.brokers.get(nodeId), partition, nodeId)
  const isAdded = partition.addingReplicas.includes(nodeId)
  const isRemoved = partition.removingReplicas.includes(nodeId)
  const reason = reasonOf(state, { obstacle, isAdded, isRemoved })
  return { nodeId, state, isAvailable: obstacle === undefined, isAdded, isRemoved, reason }
}

function stateOf(partition: PartitionImage, nodeId: NodeId): ReplicaState {
  const { leader, isr, elr, lastKnownElr } = partition
  if (leader === nodeId) return 'leader'
  if (isr.includes(nodeId)) return 'inSync'
  if (elr.includes(nodeId)) return 'eligible'
  return lastKnownElr.includes(nodeId) ? 'lastKnown' : 'outOfSync'
}

/** What keeps a replica from leading; undefined when nothing does. */
function obstacleOf(
  broker: BrokerImage | undefined,
  partition: PartitionImage,
  nodeId: NodeId,
): string | undefined {
  if (broker === undefined) return 'its broker is not registered'
  if (broker.isFenced) return 'its broker is fenced: it is down, or has not caught up after a start'
  if (!isDirectoryOnline(broker, partition)) {
    const directory = directoryOf(partition, nodeId) ?? ''
    return broker.offlineDirectories.includes(directory)
      ? `its log directory ${directory} is offline`
      : `its broker does not have the log directory ${directory} any more`
  }
  return broker.isShuttingDown ? 'its broker is about to stop' : undefined
}

const saidOfState = {
  leader: 'leads',
  inSync: 'in sync',
  eligible: 'out of sync, yet it has all that was acknowledged (ELR)',
  lastKnown: 'out of sync; it had all that was acknowledged until its machine lost data',
  outOfSync: 'out of sync',
} as const satisfies Readonly<Record<ReplicaState, string>>

function reasonOf(
  state: ReplicaState,
  {
    obstacle,
    isAdded,
    isRemoved,
  }: { obstacle: string | undefined; isAdded: boolean; isRemoved: boolean },
): string {
  const parts: string[] = [saidOfState[state]]
  const isBehind = state !== 'leader' && state !== 'inSync'
  if (obstacle !== undefined) parts.push(obstacle)
  else if (isBehind) parts.push('it has not caught up with the leader')
  if (isAdded) parts.push('it is being added')
  if (isRemoved) parts.push('it goes when those that are added are in sync')
  return parts.join('; ')
}
