import type { MetadataRuntime } from '@naru/consensus'

/** Ids taken from the metadata at once: what a broker may lose when it dies. */
const blockSize = 1000n

/** Gives out producer ids that no other producer of the cluster ever gets. */
export class ProducerIds {
  readonly #metadata: MetadataRuntime
  #next = 0n
  #end = 0n
  #taking: Promise<void> | undefined

  constructor(metadata: MetadataRuntime) {
    this.#metadata = metadata
  }

  async allocate(): Promise<bigint> {
    while (this.#next >= this.#end) {
      this.#taking ??= this.#takeBlock().finally(() => {
        this.#taking = undefined
      })
      await this.#taking
    }
    return this.#next++
  }

  async #takeBlock(): Promise<void> {
    const first = await this.#metadata.submit((image) => ({
      records: [{ type: 'producerIds', nextProducerId: image.nextProducerId + blockSize }],
      response: image.nextProducerId,
    }))
    this.#next = first
    this.#end = first + blockSize
  }
}
