/**
 * The controller while this node leads the quorum. It decides on a copy of the metadata that is ahead of what is committed, so that
 * commands need not wait for each other, and answers once the records are applied. A new leader starts with a fresh copy; what the
 * old one had decided and not committed is gone with it.
 */
import type { Clock } from '@naru/base'
import {
  type Command,
  type ControllerSettings,
  decide,
  emptyImage,
  encodeMetadataRecords,
  imageRecords,
  type MetadataImage,
  type MetadataRecord,
  replay,
  restoreImage,
} from '@naru/metadata'
import type { Proposed, RaftNode } from './raft-node.ts'

export interface ActiveControllerOptions {
  readonly node: RaftNode
  /** What is applied here. */
  readonly image: MetadataImage
  readonly clock: Clock
  readonly settings: ControllerSettings
  /** What a cluster begins with, when it has nothing yet. */
  readonly firstRecords: () => readonly MetadataRecord[]
}

export class ActiveController {
  readonly #options: ActiveControllerOptions
  /** Rejects with NOT_LEADER when this node leads no more before it knows what is committed. */
  readonly #ready: Promise<MetadataImage>
  #last: Proposed | undefined

  constructor(options: ActiveControllerOptions) {
    this.#options = options
    this.#ready = this.#begin()
    this.#ready.catch(() => {})
  }

  /**
   * Decides and answers when the decision is committed, with the index that shows it. What changes nothing is answered when the
   * state that it was decided on is committed and this node is known to lead still. Rejects as `RaftNode.propose` does.
   */
  async submit(command: Command): Promise<{ index: bigint; result: object }> {
    const image = await this.#ready
    const { node, clock, settings } = this.#options
    const context = { index: node.nextIndex, nowMs: clock.now(), settings }
    const { records, response: result } = decide(image, command, context)
    if (records.length > 0) {
      const { index, applied } = this.#propose(image, records)
      await applied
      return { index, result }
    }
    await this.#last?.applied
    return { index: await node.readBarrier(), result }
  }

  async #begin(): Promise<MetadataImage> {
    const { node, image: committed, firstRecords } = this.#options
    await node.readBarrier()
    const image = emptyImage()
    restoreImage(image, imageRecords(committed))
    if (image.clusterId === '') await this.#propose(image, firstRecords()).applied
    return image
  }

  #propose(image: MetadataImage, records: readonly MetadataRecord[]): Proposed {
    const proposed = this.#options.node.propose(encodeMetadataRecords(records))
    for (const record of records) replay(image, record)
    this.#last = proposed
    // Whoever waits for it hears of it; nobody has to.
    proposed.applied.catch(() => {})
    return proposed
  }
}
