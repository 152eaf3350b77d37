/** What a walk is like, drawn from its seed: leaving things out finds other bugs than having all of them at once. */
import { type ClusterOptions, drawClusterOptions } from '../cluster/cluster-options.ts'
import type { SeededRandom } from '../seeded-random.ts'

export interface ReplicationOptions {
  /** Machines lose power, and disks what is on them. */
  readonly losesData: boolean
  /** Log directories of each broker. */
  readonly directories: number
  readonly topics: number
  readonly producers: number
  readonly consumers: number
  /** `replica.lag.time.max.ms` */
  readonly lagMsMax: number
  /** Of an operation of a disk, beyond the usual. */
  readonly slowDiskChance: number
  readonly slowDiskMs: number
  /** Between a client and a broker, at most, in one direction. */
  readonly clientMs: number
  /** Of a request of a client, or its answer. */
  readonly lossChance: number
  readonly segmentBytes: number
  readonly journalBytes: number
  /** Clients delete records (KIP-107). */
  readonly deletesRecords: boolean
  /** Operators throttle replicas that catch up (KIP-73). */
  readonly throttles: boolean
  /** Topics may acknowledge what is not flushed (`naru.flush`). */
  readonly hasUnflushed: boolean
}

/** Brokers of clusters that fail over often; what the quorum may meet has its own walks. */
export function drawClusterOptionsOf(random: SeededRandom): ClusterOptions {
  const drawn = drawClusterOptions(random)
  const voters = random.pick([1, 3, 3, 3])
  return {
    ...drawn,
    voters,
    observers: voters === 1 ? 2 : random.pick([0, 0, 1]),
    faultyMs: random.pick([2_000, 4_000, 7_000]),
    electionTimeoutMs: random.pick([300, 600]),
    liveness: { sessionTimeoutMs: random.pick([600, 1_000, 2_000]) },
    network: { ...drawn.network, delayMs: Math.min(drawn.network.delayMs, 10) },
    disk: { ...drawn.disk, slowMs: Math.min(drawn.disk.slowMs, 500), failChance: 0 },
    imageStride: 5,
  }
}

export function drawReplicationOptions(random: SeededRandom): ReplicationOptions {
  const rate = (...choices: readonly number[]) => (random.chance(0.6) ? 0 : random.pick(choices))
  const losesData = random.chance(0.6)
  return {
    losesData,
    directories: random.pick([1, 1, 2]),
    topics: random.pick([1, 1, 2, 3]),
    producers: random.pick([1, 2, 3]),
    consumers: random.pick([1, 2]),
    lagMsMax: random.pick([300, 1_000, 5_000]),
    slowDiskChance: rate(0.01, 0.05),
    slowDiskMs: random.pick([50, 400, 1_500]),
    clientMs: random.pick([1, 5, 30]),
    lossChance: rate(0.01, 0.1),
    segmentBytes: random.pick([2_000, 20_000, 20_000]),
    journalBytes: random.pick([32_768, 131_072]),
    deletesRecords: random.chance(0.5),
    throttles: random.chance(0.3),
    hasUnflushed: !losesData || random.chance(0.5),
  }
}
