/** What can be walked at random, by name. */
import { walkCluster } from './cluster/cluster-walk.ts'
import { walkLogFaults } from './log-faults-walk.ts'
import { walkLog } from './log-walk.ts'
import { walkRaft } from './raft/raft-walk.ts'

/** Lives one random life from a seed; rejects when a promise was broken. The same seed gives the same life. */
export type Walk = (seed: number) => Promise<unknown>

export const components: ReadonlyMap<string, Walk> = new Map<string, Walk>([
  ['log', walkLog],
  ['log-faults', walkLogFaults],
  ['raft', walkRaft],
  ['cluster', walkCluster],
])
