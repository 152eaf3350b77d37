/** What a client believes of a partition: as some broker's metadata had it when it last asked. */
import type { ClusterNode } from '../cluster/cluster-node.ts'
import type { SeededRandom } from '../seeded-random.ts'
import { ClientConnection } from './client-connection.ts'
import type { ReplicationWorld } from './replication-world.ts'

export interface PartitionName {
  readonly topic: string
  readonly topicId: string
  readonly partition: number
}

export class LeaderGuess {
  readonly name: PartitionName
  readonly #world: ReplicationWorld
  readonly #random: SeededRandom
  #connection: ClientConnection | undefined
  leaderEpoch = -1

  constructor(world: ReplicationWorld, random: SeededRandom, name: PartitionName) {
    this.#world = world
    this.#random = random
    this.name = name
  }

  /** The metadata is asked for anew before the next request. */
  forget(): void {
    this.#connection?.close()
    this.#connection = undefined
  }

  /** To the broker that leads, as far as this client knows. */
  get connection(): ClientConnection | undefined {
    if (this.#connection?.isClosed === false) return this.#connection
    const node = this.#lookUp()
    this.#connection =
      node === undefined ? undefined : new ClientConnection(this.#world, node, this.#random)
    return this.#connection
  }

  #lookUp(): ClusterNode | undefined {
    const { ready, nodes } = this.#world
    if (ready.length === 0) return undefined
    const image = this.#random.pick(ready).runtime?.image
    const known = image?.topicsById.get(this.name.topicId)?.partitions[this.name.partition]
    // As Kafka's clients do: metadata of an earlier leadership than is known is not believed.
    if (known === undefined || known.leaderEpoch < this.leaderEpoch) return undefined
    this.leaderEpoch = known.leaderEpoch
    return nodes.find(({ id }) => id === known.leader)
  }
}
