/** Broker or controller id (`node.id`), 0 or greater. */
export type NodeId = number

/** A topic's incarnation (KIP-516): a UUID as 22 characters of base64url, Kafka's text form. On the wire it is 16 bytes. */
export type TopicId = string

export const zeroTopicId: TopicId = 'AAAAAAAAAAAAAAAAAAAAAA'

export interface TopicPartition {
  readonly topic: string
  readonly partition: number
}

/** The key of maps, and the name of the directory: `orders-3`. */
export function topicPartitionKey(topic: string, partition: number): string {
  return `${topic}-${partition}`
}

export function topicIdToBytes(id: TopicId): Buffer {
  return Buffer.from(id, 'base64url')
}

export function topicIdFromBytes(bytes: Uint8Array): TopicId {
  return Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('base64url')
}
