/** What is wrong with a partition, or under way, in words that filters and tables share. */
import type { PartitionView } from '@naru/client'

export const partitionStates = ['offline', 'under-min-isr', 'under-replicated', 'moving'] as const
export type PartitionState = (typeof partitionStates)[number]

/** None when all is well. */
export function statesOf(
  partition: Pick<PartitionView, 'leader' | 'isr' | 'minIsr' | 'replicas' | 'adding' | 'removing'>,
): PartitionState[] {
  const { leader, isr, minIsr, replicas, adding, removing } = partition
  const has: Record<PartitionState, boolean> = {
    offline: leader < 0,
    'under-min-isr': minIsr !== undefined && isr.length < minIsr,
    // Those that are to come are not missed yet.
    'under-replicated': isr.length < replicas.length - adding.length,
    moving: adding.length + removing.length > 0,
  }
  return partitionStates.filter((state) => has[state])
}

/** How a replica stands, for a table. */
export function roleOf(
  { leader, isr, elr, lastKnownElr }: PartitionView,
  nodeId: number,
): 'leader' | 'in-sync' | 'eligible' | 'last-known-eligible' | 'out-of-sync' {
  if (nodeId === leader) return 'leader'
  if (isr.includes(nodeId)) return 'in-sync'
  if (elr?.includes(nodeId) === true) return 'eligible'
  return lastKnownElr?.includes(nodeId) === true ? 'last-known-eligible' : 'out-of-sync'
}
