/** What a walk is like, drawn from its seed: leaving things out finds other bugs than having all of them at once. */
import type { LogLimits } from '@naru/consensus'
import type { LivenessTiming } from '@naru/metadata'
import { drawNetworkFaults, type NetworkFaults } from '../network-faults.ts'
import type { SeededRandom } from '../seeded-random.ts'

export interface DiskFaults {
  readonly delayMs: number
  readonly slowChance: number
  readonly slowMs: number
  /** Of an operation that fails, which ends its process. */
  readonly failChance: number
}

export const calmDisk: DiskFaults = { delayMs: 0.5, slowChance: 0, slowMs: 0, failChance: 0 }

export interface ClusterOptions {
  readonly voters: number
  /** Brokers that are no voters. */
  readonly observers: number
  readonly clients: number
  /** Of the brokers that begin with the older program. */
  readonly olderShare: number
  readonly faultyMs: number
  readonly electionTimeoutMs: number
  /** Where it is not as in production. */
  readonly liveness?: Partial<LivenessTiming>
  readonly logLimits: LogLimits
  readonly network: NetworkFaults
  readonly disk: DiskFaults
  /** Most partitions that one batch of the controller changes. */
  readonly changesPerBatch: number
  /** How wrong the wall clocks are, at most. */
  readonly skewMs: number
  /** Images are compared at every so many indexes. */
  readonly imageStride: number
}

export function drawClusterOptions(random: SeededRandom): ClusterOptions {
  const rate = (...choices: readonly number[]) => (random.chance(0.6) ? 0 : random.pick(choices))
  return {
    voters: random.pick([1, 2, 3, 3, 3, 3, 4, 5]),
    observers: random.pick([0, 0, 0, 1, 1, 2]),
    clients: random.pick([1, 2, 4]),
    olderShare: random.pick([0, 0.3, 1]),
    faultyMs: random.pick([4_000, 8_000, 15_000]),
    electionTimeoutMs: random.pick([400, 1_000, 1_000]),
    logLimits: {
      snapshotEntries: random.pick([10, 25, 80, 1_000]),
      trailingEntries: random.pick([0, 3, 20]),
      chunkBytes: random.pick([200, 1_000, 10_000]),
    },
    network: random.chance(0.15)
      ? { ...drawNetworkFaults(random), delayMs: 0.1 }
      : drawNetworkFaults(random),
    disk: {
      delayMs: random.pick([0.3, 1, 5]),
      slowChance: rate(0.01, 0.1),
      slowMs: random.pick([100, 500, 2_000]),
      failChance: rate(0.001, 0.005),
    },
    changesPerBatch: random.pick([1, 2, 100]),
    skewMs: rate(1_000, 3_600_000),
    imageStride: random.pick([2, 3, 5]),
  }
}
