/** Replication as this broker takes part in it: to its leaders, for its followers, and before the controller. */
import type { MessageStream, Timer } from '@naru/base'
import { internalAddressOf, type MetadataRuntime, noNetwork } from '@naru/consensus'
import { LeaderStreams, ReplicationServer } from '@naru/replication'
import { IsrProposals, type Partitions, type ReplicaSurroundings } from '@naru/services'
import type { BrokerOptions } from './broker.ts'

export interface Replication extends Disposable {
  readonly around: ReplicaSurroundings
  /** From now on followers are now. */
  serve(partitions: Partitions): void
  /** A stream of another broker. */
  accept(stream: MessageStream): void
  /** This broker is registered, perhaps anew: leaders know it by that epoch. */
  registered(brokerEpoch: bigint): void
}

export function createReplication(options: BrokerOptions, metadata: MetadataRuntime): Replication {
  const { config, clock } = options
  const { nodeId } = config
  const { image, incarnationId } = metadata
  const logger = options.logger.child('replication')
  const now: { brokerEpoch: bigint; server?: ReplicationServer; lagWatch?: Timer } = {
    brokerEpoch: -1n,
  }
  const lagMsMax = config.number('replica.lag.time.max.ms')
  const self = () => {
    const { clusterId } = image
    return { clusterId, nodeId, brokerEpoch: now.brokerEpoch, incarnationId }
  }
  const streams = new LeaderStreams({
    network: options.network ?? noNetwork(clock),
    clock,
    logger,
    self,
    addressOf: (leader) => {
      const broker = image.brokers.get(leader)
      const registered = broker === undefined ? undefined : internalAddressOf(broker)
      return config.peerAddresses.get(leader) ?? registered
    },
  })
  const proposals = new IsrProposals({ nodeId, metadata, clock, logger })
  const around: ReplicaSurroundings = {
    nodeId,
    clock,
    logger,
    lagMsMax,
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
      const server = new ReplicationServer({ clock, logger, self, replicas: { leading } })
      now.server = server
      watchLag(partitions)
    },
    accept: (stream) => (now.server === undefined ? stream.reset() : now.server.accept(stream)),
    registered: (brokerEpoch) => {
      now.brokerEpoch = brokerEpoch
      streams.restart()
    },
    [Symbol.dispose]: () => {
      now.lagWatch?.cancel()
      streams.stop()
      now.server?.stop()
    },
  }
}
