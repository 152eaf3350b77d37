export {
  brokerSettingKey,
  brokerSettingKeys,
  checkedBrokerSetting,
  rateOf,
} from './broker-settings.ts'
export { ConfigError } from './config-error.ts'
export type { ConfigKey } from './config-key.ts'
export { canonicalValue, invalidValue, listOf, nearestName } from './config-key.ts'
export type { KafkaError } from './errors.ts'
export { kafkaErrorByCode, kafkaErrors } from './errors.ts'
export { errorsPage } from './errors-page.ts'
export type { NodeId, TopicId, TopicPartition } from './ids.ts'
export { topicIdFromBytes, topicIdToBytes, topicPartitionKey, zeroTopicId } from './ids.ts'
export type { NaruErrorEntry, NaruErrorName } from './naru-errors.ts'
export { naruErrors } from './naru-errors.ts'
export type { Setting } from './properties.ts'
export { environmentSettings, parseProperties } from './properties.ts'
export type { ThrottledReplicas } from './throttled-replicas.ts'
export type { TopicConfig, TopicConfigKey } from './topic-config.ts'
export {
  checkedTopicConfig,
  parseTopicConfig,
  topicConfigKey,
  topicConfigKeys,
} from './topic-config.ts'
export {
  invalidTopicName,
  isInternalTopic,
  isReservedTopic,
  topicNamesCollide,
} from './topic-name.ts'
