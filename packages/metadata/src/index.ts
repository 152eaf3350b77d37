export type { Command, CommandType, RequestOf, ResponseOf } from './commands.ts'
export {
  decide,
  decodeCommand,
  decodeResult,
  encodeCommand,
  encodeResult,
  isRepeatable,
} from './commands.ts'
export type { ConfigChange, ConfigOperation } from './configs.ts'
export { decideTopicConfig, replacingChanges } from './configs.ts'
export type { ControllerSettings, DecideContext } from './controller-settings.ts'
export type { Decision, Refusal } from './decision.ts'
export { isRefusal, refusal } from './decision.ts'
export type { BrokerImage, MetadataImage, PartitionImage, TopicImage } from './image.ts'
export { configKey, emptyImage, resourceTypes } from './image.ts'
export { imageRecords, restoreImage } from './image-records.ts'
export type { MetadataRecord } from './records.ts'
export { decodeMetadataRecords, encodeMetadataRecords } from './records.ts'
export { replay } from './replay.ts'
export type { CreatedTopic, NewTopic, TopicDefaults } from './topics.ts'
export { decideCreatePartitions, decideCreateTopic, findTopic } from './topics.ts'
