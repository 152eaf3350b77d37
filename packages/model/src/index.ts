export type { NodeId, TopicId, TopicPartition } from './ids.ts'
export { topicIdFromBytes, topicIdToBytes, topicPartitionKey, zeroTopicId } from './ids.ts'
