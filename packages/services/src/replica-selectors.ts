/** Whom the leader of a partition sends its readers to: `replica.selector.class` (KIP-392). */
import { isActive, type MetadataImage } from '@naru/metadata'
import type { NodeId } from '@naru/model'
import { nearestReplica, type PartitionLeader, type ServingFollower } from '@naru/partition'

export interface Reader {
  /** `client.rack`; empty for a client that does not tell. */
  readonly rack: string
  /** The client reaches brokers by their listeners of this name. */
  readonly listener: string
  readonly fetchOffset: bigint
}

/** The follower that a reader shall read from; undefined for the leader itself. */
export type ReplicaSelector = (
  leader: Pick<PartitionLeader, 'inSync' | 'followers'>,
  reader: Reader,
) => NodeId | undefined

export const leaderSelector: ReplicaSelector = () => undefined

/** A follower in the reader's rack, where the leader is in another. */
export function rackAwareSelector(
  nodeId: NodeId,
  image: Pick<MetadataImage, 'brokers'>,
): ReplicaSelector {
  return (leader, { rack, listener, fetchOffset }) => {
    if (rack === '') return undefined
    const leaderRack = image.brokers.get(nodeId)?.rack ?? null
    const followers = servingFollowers(leader, { image, listener })
    return nearestReplica(followers, { rack, leaderRack, fetchOffset })
  }
}

/** In sync, since others may fall ever further behind, and with a stream: a broker that has just died is not fenced yet. */
function* servingFollowers(
  { inSync, followers }: Pick<PartitionLeader, 'inSync' | 'followers'>,
  { image, listener }: { image: Pick<MetadataImage, 'brokers'>; listener: string },
): Generator<ServingFollower> {
  for (const nodeId of inSync.members) {
    const progress = followers.get(nodeId)
    const broker = image.brokers.get(nodeId)
    if (progress === undefined || progress.hasEnded || broker === undefined) continue
    const isReached = broker.endpoints.some((endpoint) => endpoint.listener === listener)
    if (!isActive(broker) || !isReached) continue
    const { logStartOffset, logEndOffset } = progress
    yield { nodeId, rack: broker.rack, logStartOffset, logEndOffset }
  }
}
