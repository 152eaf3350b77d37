/** A broker that holds no partitions: it follows the metadata, and keeps no more than its registration. */
import type { MessageStream } from '@naru/base'
import type { MetadataFollower, MetadataRuntime } from '@naru/consensus'
import type { RegisteredDirectory } from '@naru/metadata'
import type { NodeLife, NodeWork } from './cluster-node.ts'

export class MetadataWork implements NodeWork {
  readonly #life: NodeLife
  readonly #diskMs: () => number

  constructor(life: NodeLife, diskMs: () => number) {
    this.#life = life
    this.#diskMs = diskMs
  }

  acceptReplication(stream: MessageStream): void {
    stream.reset()
  }

  open(runtime: MetadataRuntime): Promise<void> {
    return runtime.follow(follower)
  }

  async directories(): Promise<RegisteredDirectory[]> {
    const { directoryId, cleanliness, brokerEpoch } = this.#life.node
    return [{ directoryId, cleanliness, brokerEpoch }]
  }

  registered(): Promise<void> {
    return this.#life.process.pause(this.#diskMs())
  }

  /** Some take their time to load their logs. */
  ready(): Promise<void> {
    return this.#life.process.pause(this.#life.node.random.pick([0, 5, 500]))
  }

  async close(): Promise<void> {}
}

const follower: MetadataFollower = {
  adopt: async () => {},
  follow: async () => {},
  followAll: async () => {},
}
