export type { AlteredPartition, ProposedIsr } from './alter-partition.ts'
export type { LivenessOutput, LivenessTiming } from './broker-liveness.ts'
export { BrokerLiveness, defaultTiming } from './broker-liveness.ts'
export type { Heartbeat, SessionAnswer } from './broker-session.ts'
export { brokerSetting, madeTopicDefault } from './broker-settings.ts'
export { decodeCommand, decodeResult, encodeCommand, encodeResult } from './command-codec.ts'
export type { Command, CommandType, RequestOf, ResponseOf } from './commands.ts'
export { decide, isRepeatable } from './commands.ts'
export type { ConfigChange, ConfigOperation } from './configs.ts'
export { decideTopicConfig, replacingChanges } from './configs.ts'
export type { ControllerSettings, DecideContext, TopicDefaults } from './controller-settings.ts'
export { changesPerBatchDefault } from './controller-settings.ts'
export type { Decision, Refusal } from './decision.ts'
export { isRefusal, refusal } from './decision.ts'
export type { Candidate, ElectionKind } from './elections.ts'
export { decodeTimelineEvents, encodeTimelineEvents } from './event-codec.ts'
export type { TimelineEvent } from './events.ts'
export { replayTelling } from './events.ts'
export type { SupportedFeature } from './feature-levels.ts'
export {
  initialLevels,
  metadataVersion,
  naruVersion,
  supportedFeatures,
  writtenLevel,
} from './feature-levels.ts'
export { upgradeTypes } from './features.ts'
export type {
  BrokerImage,
  DeletedTopic,
  MetadataImage,
  PartitionImage,
  TopicImage,
} from './image.ts'
export { cloneImage, configKey, emptyImage, resourceTypes } from './image.ts'
export { imageRecords, restoreImage } from './image-records.ts'
export type { PartitionResult } from './partition-results.ts'
export { type LedElsewhere, ledElsewhere } from './preferred-leaders.ts'
export type { MetadataRecord } from './records.ts'
export { decodeMetadataRecords, encodeMetadataRecords, MetadataRecordsWriter } from './records.ts'
export type { Cleanliness, RegisteredDirectory, Registration } from './registration.ts'
export { replay } from './replay.ts'
export { directoryOf, isActive, isDirectoryOnline } from './replicas.ts'
export type { CreatedTopic, NewTopic } from './topics.ts'
export { decideCreatePartitions, decideCreateTopic, findTopic } from './topics.ts'
export type { AskedReplicas, LogEnds } from './unclean-elections.ts'
export { electableUncleanly, mayNeedUnclean, uncleanElectionKey } from './unclean-elections.ts'
