/**
 * A walk: brokers found a cluster, and keep what clients write to it while machines, disks and networks fail, topics come and go and
 * replicas move; then everything is whole, and must come together.
 */
import { type Fault, interruptions, powerLosses } from '../cluster/cluster-faults.ts'
import type { ClusterNode } from '../cluster/cluster-node.ts'
import { calmDisk } from '../cluster/cluster-options.ts'
import { calm } from '../network-faults.ts'
import { mustHold } from '../raft/raft-history.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { dataLosses, type ReplicationFault, replicationFaults } from './replication-faults.ts'
import { describeCluster, isOffline, isTogether } from './replication-health.ts'
import { ReplicationLoad } from './replication-load.ts'
import { ReplicationWorld } from './replication-world.ts'

export interface ReplicationLife {
  /** Two walks with the same one were the same. */
  readonly trace: string
  readonly virtualMs: number
  readonly events: number
  readonly acknowledged: number
}

const healMs = 45_000
const actionMs = 25
const restMs = 3_000
/** Of each node in a second: heartbeats and what belongs to them. */
const restEventsMax = 200

class ReplicationWalk {
  readonly world: ReplicationWorld
  readonly load: ReplicationLoad
  readonly #random: SeededRandom
  readonly #faults: readonly (Fault | ReplicationFault)[]
  readonly #faultChance: number

  constructor(seed: number) {
    this.world = new ReplicationWorld(seed)
    this.load = new ReplicationLoad(this.world)
    this.#random = this.world.random.split()
    const { losesData } = this.world.dataOptions
    const losses = losesData ? [...powerLosses, ...dataLosses] : []
    const all = [...interruptions, ...replicationFaults, ...losses]
    this.#faults = all.filter(() => this.#random.chance(0.5))
    this.#faultChance = this.#random.pick([0.02, 0.06, 0.15])
  }

  async run(): Promise<void> {
    const { world, load } = this
    for (const node of world.nodes) world.start(node)
    // Most of what is to be seen needs something to be there first.
    const endMs = world.options.faultyMs
    await world.runUntil(endMs, () => world.truth.image.brokers.size === world.nodes.length)
    const startMs = world.clock.monotonic()
    while (world.clock.monotonic() < startMs + endMs) {
      load.act()
      if (world.clock.monotonic() > startMs + 500) this.#disturb()
      await this.#goOn(actionMs)
    }
    this.#heal()
    load.finish()
    await this.#comeTogether()
    this.#checkAll()
    if (this.#random.chance(0.2)) await this.#rest()
    load.close()
  }

  #disturb(): void {
    if (this.#faults.length > 0 && this.#random.chance(this.#faultChance)) {
      this.#random.pick(this.#faults)(this.world, this.#random)
    }
    if (this.#random.chance(0.15)) this.#restart(0.4)
  }

  async #goOn(forMs: number): Promise<void> {
    const { world } = this
    // What was held up may have arrived at once.
    await world.clock.settle()
    world.promises.check()
    await world.runUntil(world.clock.monotonic() + forMs * (0.5 + this.#random.below(100) / 100))
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
    world.isDiskSlow = false
    world.network.healAll()
    for (const node of world.nodes) {
      world.network.goOn(node.host)
      for (const data of world.disksOf(node)) {
        data.isFailing = false
        data.isFull = false
      }
      if (this.#hasOfflineDisk(node)) world.kill(node, { isPowerLost: false })
    }
  }

  #hasOfflineDisk({ id }: ClusterNode): boolean {
    return this.world.brokerOf(id)?.hasFailed === true
  }

  async #comeTogether(): Promise<void> {
    const { world, load } = this
    const endMs = world.clock.monotonic() + healMs
    while (!isTogether(world, load) && world.clock.monotonic() < endMs) {
      this.#restart(1)
      for (const node of world.nodes) {
        if (this.#hasOfflineDisk(node)) world.kill(node, { isPowerLost: false })
      }
      load.act()
      await this.#goOn(100)
    }
    mustHold(isTogether(world, load), 'progress', () => describeCluster(world, load))
  }

  /** What is committed is in every replica, each record once and in order; consumers have read it all. */
  #checkAll(): void {
    const { truth, promises, history } = this.world
    for (const { topicId, partitions } of truth.image.topics.values()) {
      for (const { partition, replicas, ...state } of partitions) {
        if (isOffline(this.world, state)) continue
        const committed = promises.committedOf(topicId, partition)
        history.check(committed)
        for (const [nodeId, { name, shadow }] of promises.replicasOf(topicId, partition)) {
          if (!replicas.includes(nodeId)) continue
          mustHold(
            committed.isIn(shadow) && shadow.endOffset === committed.endOffset,
            'all replicas are the same in the end',
            () => `${name}: ${shadow.endOffset} of ${committed.endOffset}`,
          )
        }
      }
    }
  }

  /** Nobody asks anything: then little happens, and nothing grows. */
  async #rest(): Promise<void> {
    const { world, load } = this
    load.close()
    await world.runUntil(world.clock.monotonic() + 3_000)
    const before = world.network.usage
    const eventsBefore = world.events
    await world.runUntil(world.clock.monotonic() + restMs)
    const after = world.network.usage
    const { length: nodes } = world.nodes
    const events = ((world.events - eventsBefore) * 1_000) / restMs
    const where = () => JSON.stringify({ before, after, events, nodes })
    mustHold(events <= restEventsMax * nodes, 'rest', where)
    mustHold(after.streams <= before.streams, 'no more streams at rest', where)
    mustHold(after.timers <= before.timers + 2 * nodes, 'no more timers at rest', where)
    mustHold(after.messages <= before.messages + 2 * nodes, 'no queue at rest', where)
  }
}

/** Runs one walk; rejects at the first violation. */
export async function walkReplication(seed: number): Promise<ReplicationLife> {
  const walk = new ReplicationWalk(seed)
  const { world, load } = walk
  try {
    await walk.run()
  } finally {
    load.close()
    for (const node of world.nodes) world.kill(node, { isPowerLost: true })
  }
  return {
    trace: world.network.trace.value,
    virtualMs: world.clock.monotonic(),
    events: world.events,
    acknowledged: world.history.acknowledgedCount,
  }
}

/** One in fifty is made twice: it has to be the same. */
export async function walkReplicationChecked(seed: number): Promise<ReplicationLife> {
  const life = await walkReplication(seed)
  if (seed % 50 !== 0) return life
  const { trace } = await walkReplication(seed)
  mustHold(trace === life.trace, 'the same seed is the same walk', () => `${trace}, ${life.trace}`)
  return life
}
