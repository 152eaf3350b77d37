/** The parts of `NODE/DIRECTORY`. */
import type { ReplicaKey } from '@naru/raft'

export function replicaKey({
  nodeId,
  directoryId,
}: {
  nodeId: number
  directoryId: string
}): ReplicaKey {
  return `${nodeId}/${directoryId}`
}

export function nodeOf(key: ReplicaKey): number {
  return Number(key.slice(0, key.indexOf('/')))
}

export function diskOf(key: ReplicaKey): string {
  return key.slice(key.indexOf('/') + 1)
}
