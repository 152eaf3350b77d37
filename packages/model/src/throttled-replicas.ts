/** The replicas of a topic whose catching up is throttled (KIP-73): `*`, or pairs of partition and broker like `0:1,1:2`. */
import { listOf } from './config-key.ts'
import type { NodeId } from './ids.ts'

export interface ThrottledReplicas {
  has(partition: number, broker: NodeId): boolean
}

const all: ThrottledReplicas = { has: () => true }
const none: ThrottledReplicas = { has: () => false }

/** `value` has passed the check of its key. */
export function parseThrottledReplicas(value: string): ThrottledReplicas {
  const elements = listOf(value)
  if (elements.length === 0) return none
  if (elements.includes('*')) return all
  const pairs = new Set(elements.map((element) => element.split(':').map(Number).join(':')))
  return { has: (partition, broker) => pairs.has(`${partition}:${broker}`) }
}
