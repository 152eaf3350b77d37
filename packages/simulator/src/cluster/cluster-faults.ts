/** What can go wrong in a cluster, and what its people do with it, as actions. */
import { upgradeTypes } from '@naru/metadata'
import type { SeededRandom } from '../seeded-random.ts'
import type { ClusterNode } from './cluster-node.ts'
import type { ClusterWorld } from './cluster-world.ts'
import { newerProgram, olderProgram } from './program-versions.ts'

export type Fault = (world: ClusterWorld, random: SeededRandom) => void

function kill(world: ClusterWorld, random: SeededRandom): void {
  world.kill(random.pick(world.nodes), { isPowerLost: false })
}

function killLeader(world: ClusterWorld): void {
  const { leader } = world
  if (leader !== undefined) world.kill(leader.node, { isPowerLost: false })
}

function losePower(world: ClusterWorld, random: SeededRandom): void {
  world.kill(random.pick(world.nodes), { isPowerLost: true })
}

/** All at once, or most. */
function losePowerOfAll(world: ClusterWorld, random: SeededRandom): void {
  if (random.chance(0.7)) return
  for (const node of world.nodes) if (random.chance(0.8)) world.kill(node, { isPowerLost: true })
}

function stop(world: ClusterWorld, random: SeededRandom): void {
  random.pick(world.nodes).stop()
}

/** SIGSTOP for a while. */
function freeze(world: ClusterWorld, random: SeededRandom): void {
  const { host } =
    world.leader !== undefined && random.chance(0.4) ? world.leader.node : random.pick(world.nodes)
  world.network.stop(host)
  world.clock.setTimer(random.pick([30, 500, 3_000, 8_000]), () => world.network.goOn(host))
}

function cutOne(world: ClusterWorld, random: SeededRandom): void {
  const a = random.pick(world.nodes)
  const b = random.pick(world.nodes)
  if (a !== b) world.network.cut(a.host, b.host)
}

/** Parts the hosts in two. */
function cutSome(world: ClusterWorld, random: SeededRandom): void {
  const side = new Set(world.nodes.filter(() => random.chance(0.5)))
  for (const a of world.nodes) {
    for (const b of world.nodes) if (side.has(a) !== side.has(b)) world.network.cut(a.host, b.host)
  }
}

function cutLeader(world: ClusterWorld): void {
  const leader = world.leader?.node
  for (const { host } of world.nodes) {
    if (leader !== undefined && host !== leader.host) world.network.part(leader.host, host)
  }
}

function heal(world: ClusterWorld): void {
  world.network.healAll()
}

/** A part of what a replica had acknowledged is damaged, at the end of its log or before; perhaps the leader dies soon. */
function damage(world: ClusterWorld, random: SeededRandom): void {
  const node = random.pick(world.nodes)
  if (node.life === undefined || !world.isWhole) return
  world.kill(node, { isPowerLost: random.chance(0.5) })
  node.disk.damage(random.pick([0, 0, 1, 5, 30]))
  world.start(node)
  const { leader } = world
  if (leader === undefined || random.chance(0.5)) return
  world.clock.setTimer(random.below(400), () => {
    const isFaulty = world.clock.monotonic() < world.options.faultyMs
    if (isFaulty && leader.node.life === leader) world.kill(leader.node, { isPowerLost: false })
  })
}

/** A node comes back with an empty disk: another replica, without a vote. */
function replaceDisk(world: ClusterWorld, random: SeededRandom): void {
  const node = random.pick(world.nodes)
  if (node.life === undefined || !world.isWhole || world.replaced.size > 2) return
  world.replaceDisk(node)
  if (random.chance(0.7)) world.start(node)
}

/** While the first quorum forms, a node gets another disk before it has anything. */
function replaceEmptyDisk(world: ClusterWorld, random: SeededRandom): void {
  const node = random.pick(world.nodes)
  const { disk, life, id } = node
  const isNew = disk.lastIndex === 0n && life !== undefined && id <= world.options.voters
  // The founder's own disk names the quorum; of the others one can be missed.
  if (!isNew || id === 1 || world.options.voters < 3 || world.replaced.size > 0) return
  world.replaceDisk(node)
  world.start(node)
}

/** What an operator does about a replaced disk: the old voter goes, the new one comes. */
export function operate(world: ClusterWorld, random: SeededRandom): void {
  const voters = world.leader?.view?.last?.voters ?? []
  for (const [gone, { disk }] of world.replaced) {
    if (voters.includes(gone)) world.changeQuorum('remove', gone, random)
    else if (!voters.includes(disk.key) && !world.replaced.has(disk.key)) {
      world.changeQuorum('add', disk.key, random)
    }
  }
}

/** A voter is removed, or one that is none is added, for no reason. */
function changeVoter(world: ClusterWorld, random: SeededRandom): void {
  const voters = world.leader?.view?.last?.voters ?? []
  const node = random.pick(world.nodes)
  const { key } = node.disk
  if (node.life === undefined) return
  if (!voters.includes(key)) world.changeQuorum('add', key, random)
  else if (voters.length > 3 || (world.isWhole && voters.length > 2)) {
    world.changeQuorum('remove', key, random)
  }
}

function transfer(world: ClusterWorld, random: SeededRandom): void {
  const node: ClusterNode = random.pick(world.nodes)
  world.changeQuorum('transfer', node.disk.key, random)
}

/** A broker is taken for one that will not come back; if it lives, it registers anew. */
function unregister(world: ClusterWorld, random: SeededRandom): void {
  const nodeId = random.pick(world.nodes).id
  world.submit({ type: 'unregisterBroker', nodeId }, random)
}

/** A level of a feature goes up, or down; it waits for the last broker that does not know it. */
function changeLevel(world: ClusterWorld, random: SeededRandom): void {
  const { upgrade, safeDowngrade } = upgradeTypes
  const [name, level, upgradeType] = random.pick([
    ['metadata.version', 30, upgrade],
    ['metadata.version', 31, upgrade],
    ['metadata.version', 28, safeDowngrade],
    ['naru.version', 2, upgrade],
    ['naru.version', 1, safeDowngrade],
  ] as const)
  const updates = [{ name, level, upgradeType }]
  world.submit({ type: 'updateFeatures', updates, validateOnly: false }, random)
}

/** A broker gets the newer program, or the older one again, which is refused where the cluster has a level that it does not know. */
function changeProgram(world: ClusterWorld, random: SeededRandom): void {
  const node = random.pick(world.nodes)
  node.program = random.pick([newerProgram, newerProgram, olderProgram])
  node.stop()
}

export const faults: readonly Fault[] = [
  kill,
  killLeader,
  losePower,
  losePowerOfAll,
  stop,
  freeze,
  cutOne,
  cutSome,
  cutLeader,
  heal,
  operate,
  transfer,
  changeLevel,
  changeProgram,
  unregister,
]

/** What comes and goes without a loss of anything that was written. */
export const interruptions: readonly Fault[] = [
  kill,
  killLeader,
  stop,
  freeze,
  cutOne,
  cutSome,
  cutLeader,
  heal,
  transfer,
]

/** What was not flushed is lost. */
export const powerLosses: readonly Fault[] = [losePower, losePowerOfAll]

/** Data is lost for good; then who votes is changed with a reason only, or what is left might be no majority. */
export const losses: readonly Fault[] = [damage, replaceDisk, replaceEmptyDisk]
export const changes: readonly Fault[] = [changeVoter]
