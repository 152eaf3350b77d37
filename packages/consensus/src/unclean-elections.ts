/**
 * Has partitions led that nobody complete can lead, where their topics allow that (`unclean.leader.election.enable`). It looks when
 * there may be something to elect, and at its start: whatever the controller before it had not done is found again. The replicas are
 * asked first, as for a command, and all is decided anew then.
 */
import type { Clock, Timer } from '@naru/base'
import {
  type AskedReplicas,
  type Command,
  type ControllerSettings,
  electableUncleanly,
  type LogEnds,
  type MetadataImage,
  type MetadataRecord,
  mayNeedUnclean,
} from '@naru/metadata'
import { ConsensusError } from './errors.ts'

/** In one command: others are decided in between. */
const partitionsMax = 500
/** How long nothing must have changed, and how long that is waited for: what goes and comes together is seen together, so that who is back a moment later and complete loses nothing. */
const settleMs = 300
const settleMsMax = 1_000
/** While replicas that could lead do not answer. */
const retryMs = 1_000

export interface UncleanElectionsOptions {
  readonly clock: Clock
  /** What is committed. */
  readonly image: MetadataImage
  readonly settings: ControllerSettings
  readonly logEnds: LogEnds
  readonly submit: (command: Command) => Promise<unknown>
}

export class UncleanElections {
  readonly #options: UncleanElectionsOptions
  #timer: Timer | undefined
  /** When it looks, whatever changes until then. */
  #latestMs: number | undefined
  #isBusy = false
  /** Something has changed while it was at work. */
  #isDue = false
  #isStopped = false

  constructor(options: UncleanElectionsOptions) {
    this.#options = options
    this.#settle()
  }

  /** After a change of the metadata. */
  changed(records: readonly MetadataRecord[]): void {
    if (!mayNeedUnclean(records)) return
    if (this.#isBusy) this.#isDue = true
    else this.#settle()
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #settle(): void {
    const nowMs = this.#options.clock.monotonic()
    this.#latestMs ??= nowMs + settleMsMax
    this.#arm(Math.min(settleMs, this.#latestMs - nowMs))
  }

  #arm(waitMs: number): void {
    if (this.#isStopped) return
    this.#timer?.cancel()
    this.#timer = this.#options.clock.setTimer(waitMs, () => void this.#work())
  }

  async #work(): Promise<void> {
    this.#isBusy = true
    this.#isDue = false
    this.#latestMs = undefined
    try {
      await this.#electAll()
    } catch (error) {
      // It leads no more, and the next controller looks by itself; or it is handing over, and may go on leading.
      if (!(error instanceof ConsensusError)) throw error
    } finally {
      this.#isBusy = false
    }
    const { image, settings } = this.#options
    if (this.#isDue) this.#settle()
    else if (electableUncleanly(image, settings).next().done !== true) this.#arm(retryMs)
  }

  /** Each that there is now once, some at a time. */
  async #electAll(): Promise<void> {
    const tried = new Set<string>()
    while (!this.#isStopped) {
      const some = this.#some(tried)
      if (some.length === 0) return
      await this.#elect(some)
    }
  }

  async #elect(asked: readonly AskedReplicas[]): Promise<void> {
    const { logEnds, submit } = this.#options
    const ends = await logEnds(asked)
    const partitions = asked
      .map(({ topicId, partition }, at) => ({ topicId, partition, candidates: ends[at] ?? [] }))
      .filter(({ candidates }) => candidates.length > 0)
    if (partitions.length === 0 || this.#isStopped) return
    await submit({ type: 'electLeaders', kind: 'unclean', isCommanded: false, partitions })
  }

  /** Looked for anew each time: who was asked and is silent may be fenced by now, and is not waited for again. */
  #some(tried: Set<string>): AskedReplicas[] {
    const { image, settings } = this.#options
    const some: AskedReplicas[] = []
    for (const each of electableUncleanly(image, settings)) {
      const key = `${each.topicId}-${each.partition}`
      if (tried.has(key)) continue
      tried.add(key)
      some.push(each)
      if (some.length >= partitionsMax) break
    }
    return some
  }
}
