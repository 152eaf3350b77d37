/** Replication as this broker takes part in it: to its leaders, for its followers, and before the controller. */
import type { Address, Clock, Logger, MessageNetwork, MessageStream, Timer } from '@naru/base'
import { internalAddressOf, type MetadataRuntime } from '@naru/consensus'
import { brokerSetting } from '@naru/metadata'
import { type NodeId, rateOf } from '@naru/model'
import { LeaderStreams, RecentBytes, ReplicationServer, Throttle } from '@naru/replication'
import {
  IsrProposals,
  LostReplicas,
  type Partitions,
  type ReplicaSurroundings,
} from '@naru/services'

export interface Replication extends Disposable {
  readonly around: ReplicaSurroundings
  /** From now on followers are served. */
  serve(partitions: Partitions): void
  /** A stream of another broker. */
  accept(stream: MessageStream): void
  /** This broker is registered, perhaps anew: leaders know it by that epoch, and the controller what its replicas lack. */
  registered(brokerEpoch: bigint): Promise<void>
}

export interface ReplicationOptions {
  readonly nodeId: NodeId
  readonly network: MessageNetwork
  readonly clock: Clock
  readonly logger: Logger
  /** `replica.lag.time.max.ms` */
  readonly lagMsMax: number
  /** Where this broker reaches others, whatever they advertise. */
  readonly peerAddresses: ReadonlyMap<NodeId, Address>
}

export function createReplication(
  options: ReplicationOptions,
  metadata: MetadataRuntime,
): Replication {
  const { nodeId, network, clock, logger, lagMsMax, peerAddresses } = options
  const { image, incarnationId } = metadata
  const now: {
    brokerEpoch: bigint
    server?: ReplicationServer
    lagWatch?: Timer
    lost?: LostReplicas
  } = {
    brokerEpoch: -1n,
  }
  const self = () => {
    const { clusterId } = image
    return { clusterId, nodeId, brokerEpoch: now.brokerEpoch, incarnationId }
  }
  const throttles = { leader: new Throttle(clock), follower: new Throttle(clock) }
  const streams = new LeaderStreams({
    throttle: throttles.follower,
    network,
    clock,
    logger,
    self,
    addressOf: (leader) => {
      const broker = image.brokers.get(leader)
      const registered = broker === undefined ? undefined : internalAddressOf(broker)
      return peerAddresses.get(leader) ?? registered
    },
  })
  const proposals = new IsrProposals({ nodeId, metadata, clock, logger })
  const around: ReplicaSurroundings = {
    nodeId,
    clock,
    logger,
    lagMsMax,
    recentBytes: new RecentBytes(),
    brokers: {
      epochOf: (id) => image.brokers.get(id)?.brokerEpoch,
      isActive: (id) => {
        const broker = image.brokers.get(id)
        return broker !== undefined && !broker.isFenced && !broker.isShuttingDown
      },
    },
    follow: (replica) => streams.follow(replica),
    unfollow: (replica) => streams.unfollow(replica),
    onLeading: () => now.server?.leadersChanged(),
    onProposalDue: (host) => proposals.add(host),
    onDamaged: (host) => now.lost?.add(host),
    onBrokerSettings: () => {
      for (const side of ['leader', 'follower'] as const) {
        const name = `${side}.replication.throttled.rate`
        throttles[side].setRate(rateOf(brokerSetting(image, nodeId, name)))
      }
    },
  }
  const watchLag = (partitions: Partitions) => {
    now.lagWatch = clock.setTimer(lagMsMax / 2, () => {
      for (const leading of partitions.replicated()) leading.tick()
      watchLag(partitions)
    })
  }
  return {
    around,
    serve: (partitions) => {
      const leading = (topicId: string, partition: number) =>
        partitions.leadingReplica(topicId, partition)
      const replicas = { leading }
      const throttle = throttles.leader
      const server = new ReplicationServer({ clock, logger, self, replicas, throttle })
      now.server = server
      now.lost = new LostReplicas({ nodeId, metadata, partitions, clock, logger })
      watchLag(partitions)
    },
    accept: (stream) => (now.server === undefined ? stream.reset() : now.server.accept(stream)),
    registered: async (brokerEpoch) => {
      // Before any leader hears of this broker under that epoch.
      await now.lost?.report(brokerEpoch)
      now.brokerEpoch = brokerEpoch
      streams.restart()
    },
    [Symbol.dispose]: () => {
      now.lagWatch?.cancel()
      now.lost?.stop()
      streams.stop()
      now.server?.stop()
      for (const throttle of Object.values(throttles)) throttle.stop()
    },
  }
}
