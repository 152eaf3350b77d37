import type { MetadataRuntime } from '@naru/consensus'
import { isRefusal, type Refusal } from '@naru/metadata'

/** Without a controller a producer is told soon, and asks again. */
const waitMs = 2_000

/** Gives out producer ids that no other producer of the cluster ever gets, from blocks that are this broker's alone. */
export class ProducerIds {
  readonly #metadata: MetadataRuntime
  #next = 0n
  #end = 0n
  #taking: Promise<Refusal | undefined> | undefined

  constructor(metadata: MetadataRuntime) {
    this.#metadata = metadata
  }

  async allocate(): Promise<bigint | Refusal> {
    while (this.#next >= this.#end) {
      this.#taking ??= this.#takeBlock().finally(() => {
        this.#taking = undefined
      })
      const refused = await this.#taking
      if (refused !== undefined) return refused
    }
    return this.#next++
  }

  async #takeBlock(): Promise<Refusal | undefined> {
    const block = await this.#metadata.submit({ type: 'allocateProducerIds' }, waitMs)
    if (isRefusal(block)) return block
    this.#next = block.firstProducerId
    this.#end = block.firstProducerId + BigInt(block.count)
    return undefined
  }
}
