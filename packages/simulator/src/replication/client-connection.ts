/**
 * A client's connection to one broker: requests arrive in order, and so do answers; either may be lost, and then the client gives the
 * connection up. What a process that is dead or stopped was asked is not answered.
 */
import type { Timer } from '@naru/base'
import type { ClusterNode, NodeLife } from '../cluster/cluster-node.ts'
import type { SeededRandom } from '../seeded-random.ts'
import type { ReplicationWorld } from './replication-world.ts'
import { SimulatedBroker } from './simulated-broker.ts'

/** Answers through its callback, once. */
export type Work<Answer> = (
  broker: SimulatedBroker,
  life: NodeLife,
  done: (answer: Answer) => void,
) => void

export class ClientConnection {
  readonly node: ClusterNode
  readonly #world: ReplicationWorld
  readonly #random: SeededRandom
  #requestAtMs = 0
  #answerAtMs = 0
  #isClosed = false
  /** Nothing passes any more, and nobody has noticed. */
  #isBroken = false
  readonly #asking = new Set<() => void>()

  constructor(world: ReplicationWorld, node: ClusterNode, random: SeededRandom) {
    this.#world = world
    this.node = node
    this.#random = random
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** What was not delivered never will be. */
  close(): void {
    this.#isClosed = true
    for (const giveUp of [...this.#asking]) giveUp()
  }

  /** Calls `done` with the answer, or with nothing when there is none in time; the connection is closed then. */
  ask<Answer>(
    timeoutMs: number,
    work: Work<Answer>,
    done: (answer: Answer | undefined) => void,
  ): void {
    const { clock } = this.#world
    const giveUp = () => finish(undefined)
    const finish = (answer: Answer | undefined) => {
      if (!this.#asking.delete(giveUp)) return
      timer.cancel()
      if (answer === undefined) this.close()
      done(answer)
    }
    this.#asking.add(giveUp)
    const timer: Timer = clock.setTimer(timeoutMs, giveUp)
    if (this.#breaks()) return
    this.#requestAtMs = this.#later(this.#requestAtMs)
    clock.setTimer(this.#requestAtMs - clock.monotonic(), () => {
      if (this.#isClosed || this.#isBroken) return
      const { life } = this.node
      const broker = life?.work
      if (life === undefined || !(broker instanceof SimulatedBroker)) return this.#refused(finish)
      life.process.setTimer(0, () => {
        if (broker.partitions === undefined) return this.#refused(finish)
        work(broker, life, (answer) => this.#answer(() => finish(answer)))
      })
    })
  }

  #answer(arrive: () => void): void {
    const { clock } = this.#world
    if (this.#breaks()) return
    this.#answerAtMs = this.#later(this.#answerAtMs)
    clock.setTimer(this.#answerAtMs - clock.monotonic(), () => {
      if (!this.#isClosed) arrive()
    })
  }

  #breaks(): boolean {
    this.#isBroken ||= this.#random.chance(this.#world.dataOptions.lossChance)
    return this.#isBroken
  }

  /** Nobody listens. */
  #refused(finish: (answer: undefined) => void): void {
    this.#world.clock.setTimer(this.#random.below(5), () => finish(undefined))
  }

  #later(lastMs: number): number {
    const { clock, dataOptions } = this.#world
    const ownMs = clock.monotonic() + 0.05 + (dataOptions.clientMs * this.#random.below(100)) / 100
    return Math.max(lastMs, ownMs)
  }
}
