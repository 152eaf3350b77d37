/** What can go wrong for partitions in particular, as actions. */
import type { PartitionImage } from '@naru/metadata'
import type { ClusterNode } from '../cluster/cluster-node.ts'
import type { SeededRandom } from '../seeded-random.ts'
import type { ReplicationWorld } from './replication-world.ts'

export type ReplicationFault = (world: ReplicationWorld, random: SeededRandom) => void

function killLeader(world: ReplicationWorld, random: SeededRandom): void {
  const leader = someLeader(world, random)
  if (leader !== undefined) world.kill(leader, { isPowerLost: false })
}

/** The leader of a partition, and that of the quorum with it. */
function killLeaderAndController(world: ReplicationWorld, random: SeededRandom): void {
  const controller = world.leader?.node
  killLeader(world, random)
  if (controller !== undefined) world.kill(controller, { isPowerLost: false })
}

/** One after the other, with little time between them. */
function killLeadersInTurn(world: ReplicationWorld, random: SeededRandom): void {
  for (let at = 0; at < 3; at++) {
    world.clock.setTimer(at * random.pick([20, 150, 600]), () => {
      const leader = someLeader(world, random)
      if (leader === undefined) return
      world.kill(leader, { isPowerLost: false })
      world.clock.setTimer(random.pick([1, 50, 300]), () => world.start(leader))
    })
  }
}

function killAll(world: ReplicationWorld, random: SeededRandom): void {
  if (random.chance(0.6)) return
  for (const node of world.nodes) world.kill(node, { isPowerLost: false })
}

function bounceOne(world: ReplicationWorld, random: SeededRandom): void {
  const node = random.pick(world.nodes)
  world.kill(node, { isPowerLost: false })
  world.start(node)
}

function stopLeader(world: ReplicationWorld, random: SeededRandom): void {
  someLeader(world, random)?.stop()
}

function freezeLeader(world: ReplicationWorld, random: SeededRandom): void {
  const leader = someLeader(world, random)
  if (leader === undefined) return
  world.network.stop(leader.host)
  const { host } = leader
  world.clock.setTimer(random.pick([100, 800, 2_500]), () => world.network.goOn(host))
}

/** A leader and one of its followers do not hear each other, or one does not hear the other. */
function cutFollower(world: ReplicationWorld, random: SeededRandom): void {
  const state = somePartition(world, random)
  const leader = nodeOf(world, state?.leader)
  const other = nodeOf(world, random.pick(state?.replicas ?? [-1]))
  if (leader === undefined || other === undefined || leader === other) return
  if (random.chance(0.6)) world.network.cut(other.host, leader.host)
  if (random.chance(0.6)) world.network.cut(leader.host, other.host)
  world.clock.setTimer(random.pick([300, 1_500]), () => world.network.heal(leader.host, other.host))
}

/** Nobody hears the leader of a partition, which hears everybody, or the other way round. */
function cutPartitionLeader(world: ReplicationWorld, random: SeededRandom): void {
  const leader = someLeader(world, random)
  if (leader === undefined) return
  const isMute = random.chance(0.5)
  for (const { host } of world.nodes) {
    if (host === leader.host) continue
    if (isMute || random.chance(0.3)) world.network.cut(leader.host, host)
    if (!isMute || random.chance(0.3)) world.network.cut(host, leader.host)
  }
}

/** Nothing that is written reaches the disk any more: its directory goes offline, and comes back with the next process. */
function failDisk(world: ReplicationWorld, random: SeededRandom): void {
  if (!isWhole(world)) return
  const node = random.chance(0.6) ? someLeader(world, random) : random.pick(world.nodes)
  if (node?.life === undefined) return
  const data = random.pick(world.disksOf(node))
  data.isFailing = true
  world.diskFailures++
  world.clock.setTimer(random.pick([200, 1_000]), () => {
    world.kill(node, { isPowerLost: false })
    data.isFailing = false
  })
}

/** A log directory is full for a while: that takes it offline, too, but its journal, and what is removed or flushed, go on. */
function fillDisk(world: ReplicationWorld, random: SeededRandom): void {
  if (!isWhole(world)) return
  const node = random.chance(0.6) ? someLeader(world, random) : random.pick(world.nodes)
  if (node?.life === undefined) return
  const data = random.pick(world.disksOf(node))
  data.isFull = true
  world.diskFailures++
  world.clock.setTimer(random.pick([50, 400, 1_500]), () => {
    data.isFull = false
    if (random.chance(0.5)) world.kill(node, { isPowerLost: false })
  })
}

/** A log directory is empty. */
function wipeDisk(world: ReplicationWorld, random: SeededRandom): void {
  const node = random.pick(world.nodes)
  if (node.life === undefined || !isWhole(world)) return
  world.wipe(node, random.pick(world.disksOf(node)))
  if (random.chance(0.7)) world.start(node)
}

/** The directory of a partition is gone, be it of its leader. */
function loseLog(world: ReplicationWorld, random: SeededRandom): void {
  const node = random.chance(0.6) ? someLeader(world, random) : random.pick(world.nodes)
  const broker = world.brokerOf(node?.id ?? -1)
  if (node?.life === undefined || broker === undefined || !isWhole(world)) return
  const data = random.pick(world.disksOf(node))
  const logs = broker.logDirectories.get(data.id)?.logs.keys() ?? []
  const names = [...logs].filter((name) => isHeldTwice(world, name))
  if (names.length === 0) return
  world.loseLog(node, data, random.pick(names))
  const isAlone = random.chance(0.5)
  for (const each of isAlone ? [] : world.nodes) {
    if (each !== node) world.kill(each, { isPowerLost: false })
  }
  for (const each of world.nodes) if (each.life === undefined) world.start(each)
}

/**
 * What is acknowledged has more than one replica. Where one is enough that may be the one which has lost its log: with the others gone
 * for a moment it is the last that counts, and is kept when it says that perhaps it had nothing.
 */
function isHeldTwice({ truth, lowering }: ReplicationWorld, name: string): boolean {
  const at = name.lastIndexOf('-')
  const topic = name.slice(0, at)
  const state = truth.image.topics.get(topic)?.partitions[Number(name.slice(at + 1))]
  return (state?.minIsr ?? 2) > 1 && !lowering.includes(topic)
}

/** Every partition has all of its replicas in sync, as far as the controller has heard of losses: one more can be mended. */
function isWhole({ truth, lives, nodes, promises }: ReplicationWorld): boolean {
  if (lives.length < nodes.length || promises.isAnythingLost) return false
  const states = [...truth.image.topics.values()].flatMap(({ partitions }) => partitions)
  return states.every(({ isr, replicas, addingReplicas }) => {
    return isr.length > 1 && isr.length === replicas.length && addingReplicas.length === 0
  })
}

export function somePartition(
  { truth }: ReplicationWorld,
  random: SeededRandom,
): PartitionImage | undefined {
  const states = [...truth.image.topics.values()].flatMap(({ partitions }) => partitions)
  return states[random.below(Math.max(1, states.length))]
}

function someLeader(world: ReplicationWorld, random: SeededRandom): ClusterNode | undefined {
  return nodeOf(world, somePartition(world, random)?.leader)
}

function nodeOf({ nodes }: ReplicationWorld, nodeId = -1): ClusterNode | undefined {
  return nodes.find(({ id }) => id === nodeId)
}

export const replicationFaults: readonly ReplicationFault[] = [
  killLeader,
  killLeader,
  killLeaderAndController,
  killLeadersInTurn,
  killAll,
  bounceOne,
  stopLeader,
  freezeLeader,
  cutFollower,
  cutPartitionLeader,
  failDisk,
  fillDisk,
]

export const dataLosses: readonly ReplicationFault[] = [wipeDisk, loseLog, loseLog]
