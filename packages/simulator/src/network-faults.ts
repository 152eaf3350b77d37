/** How a simulated network misbehaves. Chances are drawn for each message, or for each attempt to open a stream. */
import type { SeededRandom } from './seeded-random.ts'

export interface NetworkFaults {
  /** Mean of what a message needs beyond the least; exponentially distributed. */
  readonly delayMs: number
  /** Chance of a message that needs up to `tailMs` more. */
  readonly tailChance: number
  readonly tailMs: number
  /** A stream breaks in place of a message, and both ends learn it. */
  readonly resetChance: number
  /** A stream breaks, and one end only learns it. */
  readonly halfOpenChance: number
  /** Nothing more passes in the direction of a message for up to `clogMs`. */
  readonly clogChance: number
  readonly clogMs: number
  /** An attempt that is never answered. */
  readonly hangChance: number
  /** A stream that was silent in a partition breaks when the partition heals. */
  readonly brokenByHealChance: number
}

/** A local network on a good day. */
export const calm: NetworkFaults = {
  delayMs: 0.1,
  tailChance: 0,
  tailMs: 0,
  resetChance: 0,
  halfOpenChance: 0,
  clogChance: 0,
  clogMs: 0,
  hangChance: 0,
  brokenByHealChance: 0,
}

/** Some of the faults, each with a rate of its own: leaving faults out finds other bugs than having all of them at once. */
export function drawNetworkFaults(random: SeededRandom): NetworkFaults {
  const rate = (...choices: readonly number[]) => (random.chance(0.5) ? 0 : random.pick(choices))
  return {
    delayMs: random.pick([0.1, 0.5, 2, 10, 40]),
    tailChance: rate(0.01, 0.05),
    tailMs: random.pick([20, 200, 1_000]),
    resetChance: rate(0.001, 0.01, 0.05),
    halfOpenChance: rate(0.001, 0.005),
    clogChance: rate(0.001, 0.005),
    clogMs: random.pick([100, 1_000, 5_000]),
    hangChance: rate(0.02, 0.2),
    brokenByHealChance: random.pick([0, 0.3, 1]),
  }
}
