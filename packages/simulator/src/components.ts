/** What can be walked at random, by name. */
import { walkClusterChecked } from './cluster/cluster-walk.ts'
import { walkLogFaults } from './log-faults-walk.ts'
import { walkLog } from './log-walk.ts'
import { walkPartition } from './partition/partition-walk.ts'
import { walkRaft } from './raft/raft-walk.ts'
import { walkReplicationChecked } from './replication/replication-walk.ts'

/** What can be said of a walk that broke no promise: with the same trace it was the same. */
export interface WalkSummary {
  readonly trace: string
  readonly virtualMs: number
}

/** Lives one random life from a seed; rejects when a promise was broken. The same seed gives the same life. */
export type Walk = (seed: number) => Promise<WalkSummary | undefined>

function silent(walk: (seed: number) => Promise<void>): Walk {
  return async (seed) => {
    await walk(seed)
    return undefined
  }
}

export const components: ReadonlyMap<string, Walk> = new Map([
  ['cluster', walkClusterChecked],
  ['log', silent(walkLog)],
  ['log-faults', silent(walkLogFaults)],
  ['partition', silent(walkPartition)],
  ['raft', silent(walkRaft)],
  ['replication', walkReplicationChecked],
])
