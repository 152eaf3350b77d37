import { type Candidate, isActive, type MetadataImage, type PartitionImage } from '@naru/metadata'

/** How far the logs of a partition's replicas go, as far as their brokers answer: what an unclean election chooses by. */
export type LogEnds = (partition: PartitionImage) => Promise<readonly Candidate[]>

/**
 * For as long as brokers are not asked: those that are there, all as if their logs were alike. The choice then is that of Apache
 * Kafka: whoever was complete last, else the first of the replicas.
 */
export function unknownLogEnds(image: MetadataImage): LogEnds {
  return async ({ replicas }) =>
    replicas.flatMap((nodeId) => {
      const broker = image.brokers.get(nodeId)
      if (broker === undefined || !isActive(broker)) return []
      return [{ nodeId, brokerEpoch: broker.brokerEpoch, lastEpoch: -1, logEndOffset: -1n }]
    })
}
