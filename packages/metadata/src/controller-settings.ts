import type { NodeId } from '@naru/model'
import type { SupportedFeature } from './feature-levels.ts'

/** What a new topic gets where its creator leaves it open. */
export interface TopicDefaults {
  readonly partitions: number
  readonly replicationFactor: number
  /** Somebody wants just so many replicas; otherwise there are as many as brokers where these are fewer. */
  readonly isReplicationFactorSet: boolean
}

/** What takes some ten milliseconds to decide, and less to replay. */
export const changesPerBatchDefault = 4_096

/** What decisions take from the configuration of the broker that is the controller. */
export interface ControllerSettings {
  /** Its own settings that are made while it runs hold for the topics of the cluster. */
  readonly nodeId: NodeId
  readonly defaults: TopicDefaults
  readonly isDeletionEnabled: boolean
  /** Most partitions that one batch changes, where a broker may hold more: then it takes several, so that nobody stands still. */
  readonly changesPerBatch: number
  /** The value of a topic's key where neither the topic nor the cluster has its own: the controller's configuration, else Kafka's default. */
  configDefault(name: string): string
}

/** What a decision may look at besides image and command: with the same three it is the same everywhere. */
export interface DecideContext {
  /** Of the log entry that the records will become. */
  readonly index: bigint
  readonly nowMs: number
  readonly settings: ControllerSettings
  /** What the controller's program supports. */
  readonly features: readonly SupportedFeature[]
}
