import { isDirectoryOnline, type PartitionImage } from '@naru/metadata'
import { kafkaErrors } from '@naru/model'
import type { Ports } from './ports.ts'

/** What clients see of a partition's replicas: a leader whose log directory failed leads no more, although the metadata may lag behind. */
export function replicaView(
  topic: string,
  partition: PartitionImage,
  { nodeId, metadata, partitions }: Pick<Ports, 'nodeId' | 'metadata' | 'partitions'>,
) {
  const isHereOnline = () => partitions.get(topic, partition.partition)?.isOnline ?? false
  const isOnline = (id: number) => {
    if (id === nodeId) return isHereOnline()
    const broker = metadata.image.brokers.get(id)
    return broker !== undefined && !broker.isFenced && isDirectoryOnline(broker, partition)
  }
  const leaderId = partition.leader >= 0 && isOnline(partition.leader) ? partition.leader : -1
  const error = leaderId < 0 ? kafkaErrors.LEADER_NOT_AVAILABLE : kafkaErrors.NONE
  return {
    errorCode: error.code,
    leaderId,
    offlineReplicas: partition.replicas.filter((id) => !isOnline(id)),
  }
}
