/** The controller of the walk: the real decisions on a real image, one after the other, each committed at once. */
import {
  type BrokerImage,
  type Command,
  type CommandType,
  cloneImage,
  configKey,
  decide,
  emptyImage,
  type PartitionImage,
  type Refusal,
  type RequestOf,
  type ResponseOf,
  replay,
  resourceTypes,
  supportedFeatures,
} from '@naru/metadata'
import { type NodeId, topicConfigKey } from '@naru/model'
import { PartitionPromises } from '../cluster/partition-promises.ts'

export const topicName = 'orders'

/** What a broker sees that has read so far. */
export interface MetadataView {
  readonly partition: PartitionImage
  readonly brokers: ReadonlyMap<NodeId, BrokerImage>
  /** The topic's `naru.flush` is `ack`. */
  readonly wantsFlushed: boolean
}

/** A UUID for a number. */
export function idOf(number: number): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32BE(number, 12)
  return bytes.toString('base64url')
}

export const directoryOfBroker = (nodeId: NodeId) => idOf(1_000 + nodeId)

const settings = {
  nodeId: 1,
  defaults: { partitions: 1, replicationFactor: 3, isReplicationFactorSet: true },
  changesPerBatch: 100,
  isDeletionEnabled: true,
  configDefault: (name: string) => topicConfigKey(name)?.default ?? '',
}

export class ModelController {
  readonly image = emptyImage()
  /** One for each change. */
  readonly views: MetadataView[] = []
  readonly #promises = new PartitionPromises()
  #index = 0n

  get partition(): PartitionImage {
    return this.image.topics.get(topicName)?.partitions[0] as PartitionImage
  }

  get brokers(): ReadonlyMap<NodeId, BrokerImage> {
    return this.image.brokers
  }

  get wantsFlushed(): boolean {
    return this.#setting('naru.flush') === 'ack'
  }

  get newestView(): number {
    return this.views.length - 1
  }

  run<T extends CommandType>(command: Command & { readonly type: T }): ResponseOf<T> | Refusal {
    const { image } = this
    this.#index++
    const { records, response } = decide<T>(image, command, {
      index: this.#index,
      nowMs: 0,
      settings,
      features: supportedFeatures,
    })
    if (records.length === 0) return response
    const before = cloneImage(image)
    for (const record of records) replay(image, record)
    this.#promises.check({ index: this.#index, before, after: image, records })
    const { partition, wantsFlushed } = this
    if (partition !== undefined) {
      this.views.push({ partition, brokers: new Map(image.brokers), wantsFlushed })
    }
    return response
  }

  create(replicas: readonly NodeId[], configs: Record<string, string>): void {
    this.run({
      type: 'createTopic',
      topic: {
        name: topicName,
        partitions: -1,
        replicationFactor: -1,
        assignments: [{ partition: 0, replicas }],
        configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
      },
      topicId: idOf(1),
      validateOnly: false,
    })
  }

  set(name: string, value: string): void {
    const changes = [{ name, operation: 'set', value }] as const
    this.run({ type: 'alterTopicConfig', topic: topicName, changes, validateOnly: false })
  }

  fence(nodeId: NodeId): void {
    this.run({ type: 'fenceBroker', ...this.#keyOf(nodeId), cause: 'session timeout' })
  }

  unfence(nodeId: NodeId): void {
    this.run({ type: 'unfenceBroker', ...this.#keyOf(nodeId) })
  }

  elect(
    kind: 'preferred' | 'unclean',
    candidates: RequestOf<'electLeaders'>['partitions'][number]['candidates'],
  ): void {
    const partitions = [{ ...this.#key, candidates }]
    this.run({ type: 'electLeaders', kind, isCommanded: true, partitions })
  }

  reassign(replicas: readonly NodeId[] | null): void {
    this.run({
      type: 'reassignPartitions',
      allowsOtherFactor: true,
      partitions: [{ ...this.#key, replicas }],
    })
  }

  #setting(name: string): string {
    const own = this.image.configs.get(configKey(resourceTypes.topic, topicName))?.get(name)
    return own ?? settings.configDefault(name)
  }

  #keyOf(nodeId: NodeId) {
    return { nodeId, brokerEpoch: this.brokers.get(nodeId)?.brokerEpoch ?? -1n }
  }

  get #key() {
    return { topicId: this.partition.topicId, partition: 0 }
  }
}
