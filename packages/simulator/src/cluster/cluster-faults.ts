/** What can go wrong in a cluster, as actions. */
import type { SeededRandom } from '../seeded-random.ts'
import type { ClusterWorld } from './cluster-world.ts'

export type Fault = (world: ClusterWorld, random: SeededRandom) => void

function kill(world: ClusterWorld, random: SeededRandom): void {
  world.kill(random.pick(world.nodes), { isPowerLost: false })
}

function killLeader(world: ClusterWorld): void {
  const { leader } = world
  if (leader !== undefined) world.kill(leader.node, { isPowerLost: false })
}

export const faults: readonly Fault[] = [kill, killLeader]
