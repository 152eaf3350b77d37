import type { Candidate, MetadataImage, PartitionImage } from '@naru/metadata'

/** How far the logs of a partition's replicas go, as far as their brokers answer: what an unclean election chooses by. */
export type LogEnds = (partition: PartitionImage) => Promise<readonly Candidate[]>

/**
 * For as long as brokers are not asked: all replicas as if their logs were alike. The controller leaves out those that are not there,
 * and chooses as Apache Kafka does: whoever was complete last, else the first of the replicas.
 */
export function unknownLogEnds(image: MetadataImage): LogEnds {
  return async ({ replicas }) =>
    replicas.flatMap((nodeId) => {
      const broker = image.brokers.get(nodeId)
      if (broker === undefined) return []
      return [{ nodeId, brokerEpoch: broker.brokerEpoch, lastEpoch: -1, logEndOffset: -1n }]
    })
}
