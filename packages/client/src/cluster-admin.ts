import { apis } from '@naru/protocol'
import type { Cluster } from './cluster.ts'
import type { ClusterEvent } from './cluster-events.ts'
import {
  type ClusterView,
  type Endpoint,
  type FeatureView,
  featureViewsOf,
  type QuorumView,
  quorumViewOf,
} from './cluster-views.ts'
import { checkAnswer } from './errors.ts'
import { type EventsRequest, watchEvents } from './event-watch.ts'
import { callAnyBroker } from './grpc-broker.ts'

const brokersType = 1
const quorumTopic = '__cluster_metadata'
const upgradeTypes = { upgrade: 1, 'safe-downgrade': 2, 'unsafe-downgrade': 3 } as const

export interface VoterKey {
  readonly nodeId: number
  readonly directoryId: string
}

export interface FeatureUpdate {
  readonly feature: string
  /** 0 takes the feature away. */
  readonly level: number
  /** Whether the level may be lowered, and whether metadata may be lost by it; `upgrade` when not given. */
  readonly kind?: keyof typeof upgradeTypes
}

/** The quorum, the brokers and the features of a cluster. A change is asked for once: whether to try again is for the caller. */
export class ClusterAdmin {
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async describe(): Promise<ClusterView> {
    const answer = await this.#cluster.any(apis.describeCluster, {
      includeClusterAuthorizedOperations: false,
      endpointType: brokersType,
      includeFencedBrokers: true,
    })
    checkAnswer(answer.errorCode, 'describe the cluster', { message: answer.errorMessage })
    const brokers = answer.brokers.map(({ brokerId: nodeId, host, port, rack, isFenced }) => {
      return { nodeId, host, port, rack, isFenced }
    })
    brokers.sort((a, b) => a.nodeId - b.nodeId)
    return { clusterId: answer.clusterId, controller: answer.controllerId, brokers }
  }

  /** Tries again while there is no leader. */
  quorum(): Promise<QuorumView> {
    const what = 'describe the quorum'
    return this.#cluster.retry(async () => {
      const answer = await this.#cluster.any(apis.describeQuorum, {
        topics: [{ topicName: quorumTopic, partitions: [{ partitionIndex: 0 }] }],
      })
      checkAnswer(answer.errorCode, what, { message: answer.errorMessage })
      const [partition] = answer.topics[0]?.partitions ?? []
      checkAnswer(partition?.errorCode ?? -1, what, { message: partition?.errorMessage })
      return quorumViewOf(partition as NonNullable<typeof partition>, answer.nodes)
    })
  }

  /** Makes a node that follows the quorum a voter. Apache Kafka wants the addresses of its controller; our brokers know them. */
  async addVoter(voter: VoterKey, endpoints: readonly Endpoint[] = []): Promise<void> {
    const { errorCode, errorMessage } = await this.#cluster.any(apis.addRaftVoter, {
      clusterId: null,
      timeoutMs: this.#cluster.workTimeoutMs,
      voterId: voter.nodeId,
      voterDirectoryId: voter.directoryId,
      listeners: endpoints.map(({ listener: name, host, port }) => ({ name, host, port })),
      ackWhenCommitted: true,
    })
    checkAnswer(errorCode, `add voter ${voter.nodeId}`, { message: errorMessage })
  }

  async removeVoter(voter: VoterKey): Promise<void> {
    const { errorCode, errorMessage } = await this.#cluster.any(apis.removeRaftVoter, {
      clusterId: null,
      voterId: voter.nodeId,
      voterDirectoryId: voter.directoryId,
    })
    checkAnswer(errorCode, `remove voter ${voter.nodeId}`, { message: errorMessage })
  }

  /**
   * What happened in the cluster, in order. Over gRPC, from any voter; when that one goes away it is read on at another, and nothing is
   * told twice. Leaving the loop or the signal ends it.
   */
  events(request: EventsRequest): AsyncGenerator<ClusterEvent> {
    return watchEvents(this.#cluster, request)
  }

  /** Has another voter lead. The Kafka protocol has no request for this: it goes over gRPC, to any broker that offers it. */
  async transferLeader(nodeId: number): Promise<void> {
    await callAnyBroker(this.#cluster, {
      service: 'ClusterService',
      method: 'TransferQuorumLeader',
      request: { nodeId },
      what: `make voter ${nodeId} the leader`,
    })
  }

  /** Takes a broker that will not come back out of the cluster. */
  async unregisterBroker(nodeId: number): Promise<void> {
    const { errorCode, errorMessage } = await this.#cluster.any(apis.unregisterBroker, {
      brokerId: nodeId,
    })
    checkAnswer(errorCode, `unregister broker ${nodeId}`, { message: errorMessage })
  }

  async features(): Promise<FeatureView[]> {
    const software = { clientSoftwareName: 'naru', clientSoftwareVersion: '0.1.0' }
    const answer = await this.#cluster.any(apis.apiVersions, software)
    checkAnswer(answer.errorCode, 'list features')
    return featureViewsOf(answer)
  }

  /** Changes levels, all of them or none. */
  async updateFeatures(
    updates: readonly FeatureUpdate[],
    { validateOnly = false } = {},
  ): Promise<void> {
    const names = updates.map(({ feature }) => feature).join(', ')
    const answer = await this.#cluster.any(apis.updateFeatures, {
      timeoutMs: this.#cluster.workTimeoutMs,
      featureUpdates: updates.map(({ feature, level, kind = 'upgrade' }) => ({
        feature,
        maxVersionLevel: level,
        upgradeType: upgradeTypes[kind],
        allowDowngrade: kind !== 'upgrade',
      })),
      validateOnly,
    })
    const failed = answer.results.find(({ errorCode }) => errorCode !== 0)
    const { errorCode, errorMessage: message } =
      answer.errorCode !== 0 ? answer : (failed ?? answer)
    checkAnswer(errorCode, `update ${names}`, { message })
  }
}
