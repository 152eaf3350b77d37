/** Everything works again: in a bounded time every replica is in sync, and what was written is committed. */
import { mustHold } from '../raft/raft-history.ts'
import type { ModelMachine } from './model-machine.ts'
import {
  acknowledge,
  confirmDeletion,
  electUncleanly,
  processesOf,
  propose,
  push,
  seeMetadata,
  startAndRegister,
  subscribe,
  unfence,
} from './partition-faults.ts'
import type { PartitionReplica } from './partition-replica.ts'
import type { PartitionWorld } from './partition-world.ts'

const loadedRounds = 30
const quietRounds = 6

/**
 * First all but one work, then all. While it is written to all the time, replicas must come in sync; when that ends, all must become
 * equal.
 */
export function heal(world: PartitionWorld): void {
  for (const process of processesOf(world)) {
    for (const stream of [...process.streams.values()]) world.breakStream(stream)
  }
  for (const leader of world.leaders) leader.giveUp()
  if (world.random.chance(0.3)) liveWithout(world, world.random.pick([...world.machines.values()]))
  for (let round = 0; round < loadedRounds && !(round > 5 && isWhole(world)); round++) {
    live(world, true)
  }
  mustHold(isWhole(world), 'progress under load', () => describe(world))
  for (let round = 0; round < quietRounds; round++) live(world, false)
  mustHold(isWhole(world) && isEqual(world), 'progress', () => describe(world))
}

/** One is away for good: where enough others are in sync, nothing waits for it, not even for a proposal that named it. */
function liveWithout(world: PartitionWorld, absent: ModelMachine): void {
  world.end(absent, (machine) => machine.kill())
  world.controller.fence(absent.nodeId)
  for (let round = 0; round < 2 * quietRounds; round++) live(world, false, absent)
  const { leader, isr, minIsr } = world.controller.partition
  if (leader === -1 || isr.length < minIsr) return
  const replica = world.machines.get(leader)?.process?.replica
  mustHold(
    replica?.highWatermark === replica?.log.endOffset,
    'progress without one',
    () => `${describe(world)}, without ${absent.nodeId}`,
  )
}

function live(world: PartitionWorld, isLoaded: boolean, absent?: ModelMachine): void {
  world.nowMs += 5
  for (const machine of world.machines.values()) {
    if (machine === absent) continue
    startAndRegister(world, machine)
    deliverAll(world)
    unfence(world, machine)
    confirmDeletion(world, machine)
  }
  for (const process of processesOf(world)) seeMetadata(world, process, Number.POSITIVE_INFINITY)
  electIfLost(world)
  for (const process of processesOf(world)) {
    if (process.replica?.wantsSubscription) subscribe(world, process)
    deliverAll(world)
  }
  const leader = world.leaders.find(({ nodeId }) => nodeId === world.controller.partition.leader)
  if (leader !== undefined) replicate(world, leader, isLoaded)
  world.check()
}

/** Nobody can come in sync who has to be waited for: those that are out of sync are always a little behind. */
function replicate(world: PartitionWorld, leader: PartitionReplica, isLoaded: boolean): void {
  const isInSync = (nodeId: number) => leader.leader?.inSync.members.includes(nodeId) === true
  if (isLoaded) leader.produce(1)
  pushAll(world, leader, (nodeId) => !isInSync(nodeId))
  const late = world.messages
  world.messages = []
  if (isLoaded) leader.produce(1)
  pushAll(world, leader, isInSync)
  settle(world, leader)
  world.messages = late
  settle(world, leader)
  leader.tick()
  propose(world, leader)
  deliverAll(world)
}

function pushAll(
  world: PartitionWorld,
  leader: PartitionReplica,
  isWanted: (nodeId: number) => boolean,
): void {
  for (const subscriber of leader.subscribers) {
    if (!isWanted(subscriber.progress.nodeId)) continue
    push(world, leader, subscriber, { from: subscriber.sentTo, count: 1_000 })
  }
}

function settle(world: PartitionWorld, leader: PartitionReplica): void {
  deliverAll(world)
  for (const { log } of world.running) log.flush()
  leader.logMoved()
  for (const process of processesOf(world)) {
    if (process.replica?.follower?.isAccepted) acknowledge(world, process)
  }
  deliverAll(world)
}

function deliverAll(world: PartitionWorld): void {
  for (let message = world.messages.shift(); message; message = world.messages.shift()) {
    world.deliver(message)
  }
}

/** Where nobody is complete, an operator has to decide; where somebody is, nobody has to. */
function electIfLost(world: PartitionWorld): void {
  const { leader, isr, elr, replicas } = world.controller.partition
  if (leader !== -1) return
  const running = world.running.map(({ nodeId }) => nodeId)
  if (!replicas.every((id) => running.includes(id))) return
  mustHold(isr.length + elr.length === 0, 'a leader where there can be one', () => describe(world))
  electUncleanly(world)
}

function isWhole(world: PartitionWorld): boolean {
  const { leader, isr, replicas, addingReplicas, removingReplicas } = world.controller.partition
  if (leader === -1 || addingReplicas.length + removingReplicas.length > 0) return false
  return replicas.every((id) => isr.includes(id))
}

function isEqual(world: PartitionWorld): boolean {
  const { leader, replicas } = world.controller.partition
  const end = world.machines.get(leader)?.log.endOffset
  return replicas.every((id) => {
    const replica = world.machines.get(id)?.process?.replica
    return replica?.log.endOffset === end && replica?.highWatermark === end
  })
}

function describe({ controller, machines }: PartitionWorld): string {
  const { leader, leaderEpoch, partitionEpoch, replicas, isr, elr, minIsr } = controller.partition
  const logs = [...machines.values()].map(({ nodeId, log, process }) => {
    return `${nodeId}: ${process?.replica?.highWatermark}/${log.endOffset}`
  })
  const state = { leader, leaderEpoch, partitionEpoch, replicas, isr, elr, minIsr }
  return `${JSON.stringify(state)} ${logs.join(', ')}`
}
