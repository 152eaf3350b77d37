/**
 * What brokers ask the controller for the partitions that they hold, each by its own copy, which may be old: who is in sync, other
 * leaders, other replicas, and that data is gone. What they are answered does not matter here; what is committed is checked.
 */
import {
  type Command,
  type DeletedTopic,
  type PartitionImage,
  uncleanElectionKey,
} from '@naru/metadata'
import type { SeededRandom } from '../seeded-random.ts'
import type { NodeLife } from './cluster-node.ts'
import type { ClusterWorld } from './cluster-world.ts'

export class BrokerWork {
  readonly #world: ClusterWorld
  readonly #random: SeededRandom

  constructor(world: ClusterWorld) {
    this.#world = world
    this.#random = world.random.split()
  }

  /** Some broker asks something. */
  act(): void {
    const { ready } = this.#world
    if (ready.length === 0) return
    const life = this.#random.pick(ready)
    const command = this.#commandOf(life)
    if (command === undefined) return
    life.runtime?.submit(command).catch((error: unknown) => {
      life.bug ??= error
    })
  }

  #commandOf(life: NodeLife): Command | undefined {
    const random = this.#random
    const { runtime, node } = life
    if (runtime === undefined) return undefined
    const { image } = runtime
    const partitions = [...image.topics.values()].flatMap((topic) => topic.partitions)
    const partition = partitions[random.below(Math.max(1, partitions.length))]
    const led = partitions.filter(({ leader }) => leader === node.id)
    if (random.chance(0.6)) return this.#propose(life, led[random.below(Math.max(1, led.length))])
    if (random.chance(0.3)) return this.#confirm(life)
    if (partition === undefined) return undefined
    const at = { topicId: partition.topicId, partition: partition.partition }
    switch (random.below(5)) {
      case 0:
        return {
          type: 'reassignPartitions',
          allowsOtherFactor: true,
          partitions: [{ ...at, replicas: this.#someReplicas(life) }],
        }
      case 1:
        return {
          type: 'electLeaders',
          kind: 'unclean',
          isCommanded: random.chance(0.5),
          partitions: [{ ...at, candidates: this.#candidates(life, partition) }],
        }
      case 2:
        return this.#setting(life, partition)
      default:
        return {
          type: 'electLeaders',
          kind: 'preferred',
          isCommanded: true,
          partitions: [{ ...at, candidates: [] }],
        }
    }
  }

  /** Who is in sync, as a leader may see it. */
  #propose({ runtime, node }: NodeLife, partition: PartitionImage | undefined) {
    const brokerEpoch = runtime?.membership.brokerEpoch
    if (partition === undefined || brokerEpoch === undefined) return undefined
    const { topicId, leaderEpoch, partitionEpoch, isr, replicas } = partition
    const members = replicas.filter(
      (id) => id === node.id || this.#random.chance(isr.includes(id) ? 0.9 : 0.8),
    )
    const proposed = members.map((nodeId) => {
      const epoch = runtime?.image.brokers.get(nodeId)?.brokerEpoch ?? -1n
      return { nodeId, brokerEpoch: isr.includes(nodeId) && this.#random.chance(0.5) ? -1n : epoch }
    })
    const flags = {
      isRecovering: false,
      hasFlushed: this.#random.chance(0.3),
      bump: this.#random.chance(0.1),
    }
    const state = { leaderEpoch, partitionEpoch, isr: proposed }
    const change = { topicId, partition: partition.partition, ...state, ...flags }
    return { type: 'alterPartition', nodeId: node.id, brokerEpoch, partitions: [change] } as const
  }

  #candidates({ runtime }: NodeLife, { replicas }: PartitionImage) {
    return replicas.map((nodeId) => ({
      nodeId,
      brokerEpoch: runtime?.image.brokers.get(nodeId)?.brokerEpoch ?? -1n,
      lastEpoch: this.#random.below(3),
      logEndOffset: BigInt(this.#random.below(10)),
    }))
  }

  #someReplicas({ runtime }: NodeLife): number[] | null {
    if (this.#random.chance(0.3)) return null
    const brokers = [...(runtime?.image.brokers.keys() ?? [])]
    const chosen = brokers.filter(() => this.#random.chance(0.5))
    return this.#random.chance(0.5) ? chosen : chosen.reverse()
  }

  #setting(life: NodeLife, partition: PartitionImage): Command | undefined {
    if (this.#random.chance(0.7)) return this.#topicSetting(life, partition)
    const value = this.#random.pick(['true', 'false', null])
    const operation = value === null ? 'delete' : 'set'
    const change = { name: uncleanElectionKey, operation, value } as const
    return { type: 'alterBrokerConfig', broker: '', changes: [change], validateOnly: false }
  }

  #topicSetting({ runtime }: NodeLife, { topicId }: PartitionImage): Command | undefined {
    const name = runtime?.image.topicsById.get(topicId)?.name
    if (name === undefined) return undefined
    const [setting, value] = this.#random.pick([
      ['min.insync.replicas', '1'],
      ['min.insync.replicas', '2'],
      [uncleanElectionKey, 'true'],
      [uncleanElectionKey, 'false'],
    ] as const)
    const change = { name: setting, operation: 'set', value } as const
    return { type: 'alterTopicConfig', topic: name, changes: [change], validateOnly: false }
  }

  #confirm({ runtime, node }: NodeLife): Command | undefined {
    const { deletedTopics = new Map<string, DeletedTopic>(), topics = new Map() } =
      runtime?.image ?? {}
    const deletions = [...deletedTopics.keys()].map((topicId) => ({ topicId, partition: -1 }))
    for (const topic of topics.values()) {
      for (const { topicId, partition, removedReplicas } of topic.partitions) {
        if (removedReplicas.includes(node.id)) deletions.push({ topicId, partition })
      }
    }
    if (deletions.length === 0) return undefined
    return { type: 'confirmDeletion', nodeId: node.id, deletions }
  }
}
