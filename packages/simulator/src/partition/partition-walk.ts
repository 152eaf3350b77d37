/**
 * A walk: one partition's life under random faults, then a time in which everything is whole and must come together. What must hold is
 * checked at every step, progress at the end. It is the random walk of the protocol's model with the real cores and decisions.
 */
import { SeededRandom } from '../seeded-random.ts'
import { PartitionFaults } from './partition-faults.ts'
import { heal } from './partition-healing.ts'
import { PartitionWorld } from './partition-world.ts'
import { drawOptions, type WalkOptions } from './walk-options.ts'

/** Runs one walk; throws at the first violation. */
export function walkPartitionWith(seed: number, options: Partial<WalkOptions>): PartitionWorld {
  const random = new SeededRandom(seed ^ 0x9a27)
  const drawn = { ...drawOptions(random), ...options }
  const { brokers, lagMsMax, flushRate, isFlushed, minIsr, steps } = drawn
  const configs = {
    'min.insync.replicas': String(minIsr),
    'naru.flush': isFlushed ? 'ack' : 'async',
  }
  const world = new PartitionWorld(random, { brokers, lagMsMax, flushRate, configs })
  const faults = new PartitionFaults(world, drawn)
  for (let step = 0; step < steps; step++) {
    faults.act()
    world.check()
  }
  heal(world)
  return world
}

export async function walkPartition(seed: number): Promise<void> {
  walkPartitionWith(seed, {})
}
