/** Gives leaderships back to the replicas that come first, which brokers lose when they stop (`auto.leader.rebalance.enable`). */
import type { Clock, Timer } from '@naru/base'
import { type Command, type LedElsewhere, ledElsewhere, type MetadataImage } from '@naru/metadata'
import { ConsensusError } from './errors.ts'

/** In one command: others are decided in between. */
const partitionsMax = 500

export interface LeaderRebalanceOptions {
  readonly clock: Clock
  /** `leader.imbalance.check.interval.seconds` */
  readonly intervalMs: number
  readonly image: MetadataImage
  readonly submit: (command: Command) => Promise<unknown>
}

export class LeaderRebalance {
  readonly #options: LeaderRebalanceOptions
  #timer: Timer | undefined

  constructor(options: LeaderRebalanceOptions) {
    this.#options = options
    this.#arm()
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #arm(): void {
    const { clock, intervalMs } = this.#options
    this.#timer = clock.setTimer(intervalMs, () => {
      this.#arm()
      // Who leads the quorum no more has nothing to say: the next controller looks again.
      this.#rebalance().catch((error: unknown) => {
        if (!(error instanceof ConsensusError)) throw error
      })
    })
  }

  async #rebalance(): Promise<void> {
    const due = [...ledElsewhere(this.#options.image)]
    for (let at = 0; at < due.length; at += partitionsMax) {
      await this.#options.submit(electPreferred(due.slice(at, at + partitionsMax)))
    }
  }
}

function electPreferred(partitions: readonly LedElsewhere[]): Command {
  return {
    type: 'electLeaders',
    kind: 'preferred',
    isCommanded: false,
    partitions: partitions.map((each) => ({ ...each, candidates: [] })),
  }
}
