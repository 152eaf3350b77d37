/** A controller in the small: what is decided is replayed from its bytes at once, one command after the other. */
import { topicConfigKey } from '@naru/model'
import { type Command, type CommandType, decide, type ResponseOf } from '../commands.ts'
import type { ControllerSettings } from '../controller-settings.ts'
import { isRefusal, type Refusal } from '../decision.ts'
import { supportedFeatures, writtenLevel } from '../feature-levels.ts'
import { emptyImage, type MetadataImage, type PartitionImage } from '../image.ts'
import { decodeMetadataRecords, encodeMetadataRecords, type MetadataRecord } from '../records.ts'
import type { RegisteredDirectory, Registration } from '../registration.ts'
import { replay } from '../replay.ts'

/** A UUID for a number. */
export function idOf(number: number): string {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32BE(number, 12)
  return bytes.toString('base64url')
}

export const directoryOfBroker = (nodeId: number) => idOf(1_000 + nodeId)

export function settingsWith(changes: Record<string, string> = {}): ControllerSettings {
  return {
    nodeId: 1,
    defaults: { partitions: 2, replicationFactor: 1, isReplicationFactorSet: true },
    isDeletionEnabled: true,
    changesPerBatch: 100,
    configDefault: (name) => changes[name] ?? topicConfigKey(name)?.default ?? '',
  }
}

export class TestCluster {
  image: MetadataImage = emptyImage()
  settings = settingsWith()
  /** Of the controller's program. */
  features = supportedFeatures
  index = 0n
  nowMs = 1_000
  /** Of the last command. */
  records: readonly MetadataRecord[] = []
  /** After each batch of a decision but the last. */
  onPart: () => void = () => {}
  #incarnations = 0

  /** Registers and unfences brokers. */
  constructor(...nodeIds: number[]) {
    for (const nodeId of nodeIds) {
      this.start(nodeId)
      this.unfence(nodeId)
    }
  }

  run<T extends CommandType>(command: Command & { readonly type: T }): ResponseOf<T> | Refusal {
    for (;;) {
      const { response, isPart } = this.#decide<T>(command)
      if (isPart !== true) return response
      this.onPart()
    }
  }

  #decide<T extends CommandType>(command: Command & { readonly type: T }) {
    const { nowMs, settings, features } = this
    this.index++
    const context = { index: this.index, nowMs, settings, features }
    const decision = decide<T>(this.image, command, context)
    const level = writtenLevel(this.image, decision.records)
    this.records = decodeMetadataRecords(encodeMetadataRecords(decision.records, level))
    for (const record of this.records) replay(this.image, record)
    return decision
  }

  /** Runs what is expected to be accepted. */
  accepted<T extends CommandType>(command: Command & { readonly type: T }): ResponseOf<T> {
    const response = this.run<T>(command)
    if (isRefusal(response)) throw new Error(`${command.type}: ${response.message}`)
    return response as ResponseOf<T>
  }

  /** The name of the error of what is expected to be refused. */
  refused<T extends CommandType>(command: Command & { readonly type: T }): string | undefined {
    const response = this.run<T>(command)
    return isRefusal(response) ? response.error.name : undefined
  }

  /** What a process says at its start, on the directory that the broker had before. */
  registration(nodeId: number, changes: Partial<Registration> = {}): Registration {
    const directoryId = directoryOfBroker(nodeId)
    return {
      nodeId,
      incarnationId: idOf(5_000 + ++this.#incarnations),
      metadataDirectory: directoryId,
      clusterId: this.image.clusterId === '' ? 'c' : this.image.clusterId,
      rack: null,
      endpoints: [{ listener: 'PLAINTEXT', host: `host-${nodeId}`, port: 9092 }],
      directories: [this.directory(nodeId)],
      features: supportedFeatures,
      isPreviousSilent: true,
      ...changes,
    }
  }

  directory(nodeId: number, changes: Partial<RegisteredDirectory> = {}): RegisteredDirectory {
    const brokerEpoch = this.image.brokers.get(nodeId)?.brokerEpoch ?? -1n
    const directoryId = directoryOfBroker(nodeId)
    return { directoryId, cleanliness: 'process-crash', brokerEpoch, ...changes }
  }

  start(nodeId: number, changes: Partial<Registration> = {}): void {
    this.accepted({ type: 'registerBroker', ...this.registration(nodeId, changes) })
  }

  /** Starts after its machine lost what was not flushed. */
  startAfter(cleanliness: RegisteredDirectory['cleanliness'], nodeId: number): void {
    this.start(nodeId, { directories: [this.directory(nodeId, { cleanliness })] })
  }

  key(nodeId: number) {
    return { nodeId, brokerEpoch: this.image.brokers.get(nodeId)?.brokerEpoch ?? -1n }
  }

  fence(...nodeIds: number[]): void {
    for (const nodeId of nodeIds) {
      this.accepted({ type: 'fenceBroker', ...this.key(nodeId), cause: 'session timeout' })
    }
  }

  unfence(...nodeIds: number[]): void {
    for (const nodeId of nodeIds) this.accepted({ type: 'unfenceBroker', ...this.key(nodeId) })
  }

  /** Creates the topic `orders` with one partition on these brokers. */
  topic(
    replicas: readonly number[],
    configs: Record<string, string> = {},
    topicId = idOf(1),
  ): void {
    this.accepted({
      type: 'createTopic',
      topic: {
        name: 'orders',
        partitions: -1,
        replicationFactor: -1,
        assignments: [{ partition: 0, replicas }],
        configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
      },
      topicId,
      validateOnly: false,
    })
  }

  get partition(): PartitionImage {
    const partition = this.image.topics.get('orders')?.partitions[0]
    if (partition === undefined) throw new Error('No partition')
    return partition
  }

  /** Proposes an ISR as the leader does, with the brokers' registered epochs. */
  propose(isr: readonly number[], changes: Record<string, unknown> = {}): string {
    const { topicId, partition, leader, leaderEpoch, partitionEpoch, isRecovering } = this.partition
    const members = isr.map((nodeId) => this.key(nodeId))
    const flags = { isRecovering, hasFlushed: false, bump: false }
    const proposed = { topicId, partition, leaderEpoch, partitionEpoch, isr: members, ...flags }
    const response = this.accepted({
      type: 'alterPartition',
      ...this.key(leader),
      partitions: [{ ...proposed, ...changes }],
    })
    return String(response.partitions[0]?.errorCode)
  }
}
