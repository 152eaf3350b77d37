import type { SeededRandom } from '../seeded-random.ts'

/** What a walk has to bear. Leaving faults out finds other bugs than having all of them at once. */
export interface WalkOptions {
  readonly steps: number
  readonly brokers: number
  readonly isFlushed: boolean
  readonly minIsr: number
  readonly lagMsMax: number
  readonly changesMinIsr: boolean
  readonly changesFlush: boolean
  /** How often a follower flushes what it has just written. */
  readonly flushRate: number
  readonly reassigns: boolean
  readonly losesDisks: boolean
  readonly electsUncleanly: boolean
  readonly dropsRecords: boolean
  /** Messages of a stream come one by one, in order, or not at all; else each by itself is late, lost or doubled. */
  readonly isOrdered: boolean
  /** What leaders propose comes to the controller when much has happened meanwhile. */
  readonly isControllerFar: boolean
}

export function drawOptions(random: SeededRandom): WalkOptions {
  const reassigns = random.chance(0.3)
  return {
    steps: 400,
    brokers: reassigns ? 4 + random.below(2) : 3,
    isFlushed: random.chance(0.5),
    minIsr: random.chance(0.8) ? 2 : 1,
    lagMsMax: random.pick([60, 400, 5_000]),
    changesMinIsr: random.chance(0.4),
    changesFlush: random.chance(0.3),
    flushRate: random.pick([0.1, 0.5, 0.5]),
    reassigns,
    losesDisks: random.chance(0.3),
    electsUncleanly: random.chance(0.15),
    dropsRecords: random.chance(0.25),
    isOrdered: random.chance(0.5),
    isControllerFar: random.chance(0.3),
  }
}
