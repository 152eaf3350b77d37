import { clusterMutations } from './cluster.ts'
import { controllerMutations } from './controller.ts'
import { logMutations } from './log.ts'
import type { Mutation } from './mutation.ts'
import { partitionMutations } from './partition.ts'
import { raftMutations } from './raft.ts'
import { replicationMutations } from './replication.ts'

/** By the component whose walks are to notice. */
export const mutations: ReadonlyMap<string, readonly Mutation[]> = new Map([
  ['cluster', clusterMutations],
  ['log', logMutations],
  ['partition', partitionMutations],
  ['raft', raftMutations],
  ['replication', replicationMutations],
  ['controller', controllerMutations],
])

export function mutationNamed(rule: string): Mutation {
  const found = [...mutations.values()].flat().find((mutation) => mutation.rule === rule)
  if (found === undefined) throw new Error(`No mutation "${rule}"`)
  return found
}
