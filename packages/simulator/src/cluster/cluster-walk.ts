/**
 * A walk: brokers found a cluster and keep its metadata while machines, disks and networks fail and clients go on; then everything is
 * whole, and must come together.
 */

import {
  electableUncleanly,
  isActive,
  type MetadataImage,
  type PartitionImage,
} from '@naru/metadata'
import { calm } from '../network-faults.ts'
import { mustHold } from '../raft/raft-history.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { BrokerWork } from './broker-work.ts'
import { ClusterClients } from './cluster-clients.ts'
import { changes, type Fault, faults, losses, operate } from './cluster-faults.ts'
import { controllerSettings } from './cluster-node.ts'
import { calmDisk } from './cluster-options.ts'
import { ClusterWorld } from './cluster-world.ts'
import { newerProgram, olderProgram } from './program-versions.ts'

export interface ClusterLife {
  /** Two walks with the same one were the same. */
  readonly trace: string
  readonly virtualMs: number
  readonly events: number
  readonly committed: number
  readonly answered: number
}

/** After which a whole cluster must have come together. */
const healMs = 45_000
const actionMs = 40
/** A dead leader's successor has to be elected, and has to wait for a session to end. */
const fencedMs = 10_000
const restMs = 4_000
/** Of each node in a second: heartbeats, their answers, and the timers and turns that they take. */
const restEventsMax = 150

class ClusterWalk {
  readonly world: ClusterWorld
  readonly clients: ClusterClients
  readonly #work: BrokerWork
  readonly #random: SeededRandom
  readonly #faults: readonly Fault[]

  constructor(seed: number) {
    this.world = new ClusterWorld(seed)
    this.clients = new ClusterClients(this.world)
    this.#work = new BrokerWork(this.world)
    this.#random = this.world.random.split()
    const others = this.#random.chance(0.6) ? losses : changes
    for (const node of this.world.nodes) {
      if (this.#random.chance(this.world.options.olderShare)) node.program = olderProgram
    }
    this.#faults = [...faults, ...others].filter(() => this.#random.chance(0.5))
  }

  async run(): Promise<void> {
    const { world, clients } = this
    for (const node of world.nodes) {
      const lateMs = this.#random.pick([0, 0, 5, 200, 3_000])
      world.clock.setTimer(lateMs, () => world.start(node))
    }
    while (world.clock.monotonic() < world.options.faultyMs) {
      clients.act()
      if (this.#random.chance(0.4)) this.#work.act()
      if (this.#random.chance(0.15)) this.#fail()
      if (this.#random.chance(0.3)) this.#restart(0.3)
      await world.runUntil(
        world.clock.monotonic() + actionMs * (0.5 + this.#random.below(100) / 100),
      )
    }
    this.#heal()
    await this.#comeTogether()
    if (this.#random.chance(0.3)) await this.#loseOne()
    await clients.readAll()
    clients.check()
    if (this.#random.chance(0.3)) await this.#rest()
  }

  #fail(): void {
    if (this.#faults.length > 0) this.#random.pick(this.#faults)(this.world, this.#random)
  }

  #restart(chance: number): void {
    for (const node of this.world.nodes) {
      if (node.life === undefined && this.#random.chance(chance)) this.world.start(node)
    }
  }

  #heal(): void {
    const { world } = this
    world.network.faults = calm
    world.disk = calmDisk
    world.network.healAll()
    for (const { host } of world.nodes) world.network.goOn(host)
  }

  async #comeTogether(): Promise<void> {
    const { world, clients } = this
    // Who is refused, since its program does not know a level of the cluster, gets the newer one.
    for (const node of world.nodes) node.program = newerProgram
    const endMs = world.clock.monotonic() + healMs
    while (!this.#isTogether() && world.clock.monotonic() < endMs) {
      this.#restart(1)
      operate(world, this.#random)
      clients.act()
      await world.runUntil(world.clock.monotonic() + 100)
    }
    mustHold(this.#isTogether(), 'progress', () => this.#describe())
  }

  /** Who is dead is fenced within a bounded time, and back when it lives again. */
  async #loseOne(): Promise<void> {
    const { world } = this
    const node = this.#random.pick(world.nodes)
    const voters = world.leader?.view?.last?.voters ?? []
    if (voters.length < 3) return
    world.kill(node, { isPowerLost: this.#random.chance(0.5) })
    const isFenced = () => world.truth.image.brokers.get(node.id)?.isFenced === true
    const endMs = world.clock.monotonic() + fencedMs
    while (!isFenced() && world.clock.monotonic() < endMs) {
      // Others may have been about to stop.
      for (const other of world.nodes) if (other !== node) world.start(other)
      await world.runUntil(world.clock.monotonic() + 100, isFenced)
    }
    mustHold(isFenced(), 'the dead are fenced', () => `${node.id}: ${this.#describe()}`)
    await this.#comeTogether()
  }

  /** Nobody asks anything: then little happens, and nothing grows. */
  async #rest(): Promise<void> {
    const { world } = this
    await world.runUntil(world.clock.monotonic() + 3_000)
    const before = world.network.usage
    const eventsBefore = world.events
    await world.runUntil(world.clock.monotonic() + restMs)
    const after = world.network.usage
    const events = ((world.events - eventsBefore) * 1_000) / restMs
    const where = () => JSON.stringify({ before, after, events, nodes: world.nodes.length })
    mustHold(events <= restEventsMax * world.nodes.length, 'rest', where)
    mustHold(after.streams <= before.streams, 'no more streams at rest', where)
    mustHold(
      after.timers <= before.timers + 2 * world.nodes.length,
      'no more timers at rest',
      where,
    )
    // What waits in a stream that one side only knows to be over stays.
    const messagesMax = before.messages + 2 * world.nodes.length
    mustHold(after.messages <= messagesMax, 'no queue at rest', where)
  }

  #isTogether(): boolean {
    const { lives, nodes, truth, leader } = this.world
    if (leader === undefined || lives.length < nodes.length) return false
    const keys = lives.map(({ node }) => node.disk.key)
    // Disks that are gone are voters no more.
    if (!leader.view?.last?.voters.every((voter) => keys.includes(voter))) return false
    // Who is about to stop is as good as gone.
    if (lives.some(({ isStopping }) => isStopping)) return false
    if (!isLed(truth.image)) return false
    // Nor does one wait for somebody complete where it need not.
    const settings = controllerSettings(leader.node.id, this.world.options)
    if (electableUncleanly(truth.image, settings).next().done !== true) return false
    return lives.every(({ runtime, node }) => {
      const broker = truth.image.brokers.get(node.id)
      const isPart = broker?.isFenced === false && broker.brokerEpoch === node.brokerEpoch
      return isPart && runtime !== undefined && truth.isEqual(runtime.image)
    })
  }

  #describe(): string {
    const { lives, truth } = this.world
    const states = lives.map(({ node, runtime, isLeader }) => {
      const broker = truth.image.brokers.get(node.id)
      return `${node.id}${isLeader ? ' leads' : ''} at ${runtime?.lastIndex}, fenced ${broker?.isFenced}, epoch ${node.brokerEpoch} of ${broker?.brokerEpoch}`
    })
    return `not together after ${healMs} ms, committed ${truth.lastIndex}: ${states.join('; ')}`
  }
}

/** Whether every partition has a leader that has a complete replica on a broker that takes part. */
function isLed({ topics, brokers }: MetadataImage): boolean {
  const mayLead = ({ replicas, directories }: PartitionImage, id: number) => {
    const broker = brokers.get(id)
    const directory = directories[replicas.indexOf(id)] ?? ''
    return broker !== undefined && isActive(broker) && broker.directories.includes(directory)
  }
  return [...topics.values()].every(({ partitions }) =>
    partitions.every((partition) => {
      const { leader, isr, elr } = partition
      return leader !== -1 || !(isr.length > 0 ? isr : elr).some((id) => mayLead(partition, id))
    }),
  )
}

/** Runs one walk; rejects at the first violation. */
export async function walkCluster(seed: number): Promise<ClusterLife> {
  const walk = new ClusterWalk(seed)
  const { world, clients } = walk
  try {
    await walk.run()
  } finally {
    for (const node of world.nodes) world.kill(node, { isPowerLost: true })
  }
  return {
    trace: world.network.trace.value,
    virtualMs: world.clock.monotonic(),
    events: world.events,
    committed: Number(world.truth.lastIndex),
    answered: clients.answered,
  }
}

/** One in a hundred is made twice: it has to be the same. */
export async function walkClusterChecked(seed: number): Promise<ClusterLife> {
  const life = await walkCluster(seed)
  if (seed % 100 !== 0) return life
  const { trace } = await walkCluster(seed)
  mustHold(trace === life.trace, 'the same seed is the same walk', () => `${trace}, ${life.trace}`)
  return life
}
