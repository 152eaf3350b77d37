/** The cluster as an administrator sees and changes it, through whichever node leads its quorum. */
import {
  ConsensusError,
  internalListener,
  type MetadataRuntime,
  type QuorumChange,
} from '@naru/consensus'
import { isRefusal, type Refusal, refusal, upgradeTypes } from '@naru/metadata'
import { type KafkaError, kafkaErrors, type NodeId } from '@naru/model'
import type {
  ClusterAdmin,
  ClusterHealth,
  FeatureUpdate,
  QuorumStatus,
  VoterKey,
} from './cluster-admin.ts'

type QuorumRefusal = NonNullable<Awaited<ReturnType<MetadataRuntime['changeQuorum']>>>

/** Why the quorum did not change, for Kafka's clients and in words. */
const refusals: Readonly<Record<QuorumRefusal, readonly [KafkaError, string]>> = {
  notLeader: [kafkaErrors.NOT_CONTROLLER, 'The node that was asked does not lead the quorum'],
  busy: [kafkaErrors.REQUEST_TIMED_OUT, 'Too much is under way: try again later'],
  handingOver: [kafkaErrors.REQUEST_TIMED_OUT, 'The leader is handing over: try again later'],
  notReady: [kafkaErrors.REQUEST_TIMED_OUT, 'The leader is new and has nothing committed yet'],
  changeInProgress: [kafkaErrors.REQUEST_TIMED_OUT, 'Another change of the voters is under way'],
  alreadyVoter: [kafkaErrors.DUPLICATE_VOTER, 'This replica is a voter already'],
  unknownVoter: [kafkaErrors.VOTER_NOT_FOUND, 'No voter has this node id and directory id'],
  lastVoter: [kafkaErrors.INVALID_REQUEST, 'The last voter cannot be removed'],
  noMajority: [
    kafkaErrors.REQUEST_TIMED_OUT,
    'A majority of the voters that would remain does not answer',
  ],
  lagging: [kafkaErrors.REQUEST_TIMED_OUT, 'The replica does not follow the log closely yet'],
}

export class Cluster implements ClusterAdmin {
  readonly #metadata: MetadataRuntime

  constructor(metadata: MetadataRuntime) {
    this.#metadata = metadata
  }

  get controllerId(): NodeId {
    return this.#metadata.controllerId ?? -1
  }

  async health(): Promise<ClusterHealth> {
    const { brokers, topics } = this.#metadata.image
    const ids = (isFenced: boolean) =>
      [...brokers.values()].filter((each) => each.isFenced === isFenced).map(({ nodeId }) => nodeId)
    let offlinePartitions = 0
    let underReplicatedPartitions = 0
    for (const { partitions } of topics.values()) {
      for (const { leader, isr, replicas } of partitions) {
        if (leader < 0) offlinePartitions++
        if (isr.length < replicas.length) underReplicatedPartitions++
      }
    }
    return {
      leaderId: this.controllerId,
      aliveBrokerIds: ids(false),
      fencedBrokerIds: ids(true),
      offlinePartitions,
      underReplicatedPartitions,
    }
  }

  quorum(): Promise<QuorumStatus | Refusal> {
    return orRefusal(async () => {
      const { replicas, ...view } = await this.#metadata.quorum()
      const statuses = replicas.map(({ isVoter, lastFetchMs, lastCaughtUpMs, ...replica }) => ({
        isVoter,
        status: {
          ...replica,
          lastFetchMs: Number(lastFetchMs),
          lastCaughtUpMs: Number(lastCaughtUpMs),
        },
      }))
      const of = (isVoter: boolean) =>
        statuses.filter((each) => each.isVoter === isVoter).map(({ status }) => status)
      const voters = of(true)
      return { ...view, voters, observers: of(false), nodes: this.#nodes(voters) }
    })
  }

  addVoter(voter: VoterKey, timeoutMs?: number): Promise<Refusal | undefined> {
    return this.#change({ kind: 'add', ...voter }, timeoutMs)
  }

  removeVoter(voter: VoterKey): Promise<Refusal | undefined> {
    return this.#change({ kind: 'remove', ...voter })
  }

  transferLeader(nodeId: NodeId): Promise<Refusal | undefined> {
    return this.#change({ kind: 'transfer', nodeId, directoryId: '' })
  }

  async unregisterBroker(nodeId: NodeId): Promise<Refusal | undefined> {
    return refusalIn(await this.#metadata.submit({ type: 'unregisterBroker', nodeId }))
  }

  async updateFeatures(
    updates: readonly FeatureUpdate[],
    { validateOnly, timeoutMs }: { readonly validateOnly: boolean; readonly timeoutMs: number },
  ): Promise<Refusal | undefined> {
    const wanted = updates.map(({ feature: name, level, kind }) => ({
      name,
      level,
      upgradeType: upgradeTypes[kinds[kind]],
    }))
    const command = { type: 'updateFeatures', updates: wanted, validateOnly } as const
    return refusalIn(await this.#metadata.submit(command, timeoutMs))
  }

  #change(change: QuorumChange, timeoutMs?: number): Promise<Refusal | undefined> {
    return orRefusal(async () => {
      const refused = await this.#metadata.changeQuorum(change, timeoutMs)
      return refused === undefined ? undefined : refusal(...refusals[refused])
    })
  }

  /** Where the voters meet, not where their clients come. */
  #nodes(voters: readonly VoterKey[]): QuorumStatus['nodes'] {
    const { brokers } = this.#metadata.image
    return voters.map(({ nodeId }) => {
      const endpoints = brokers.get(nodeId)?.endpoints ?? []
      return {
        nodeId,
        endpoints: endpoints.filter(({ listener }) => listener === internalListener),
      }
    })
  }
}

const kinds = {
  upgrade: 'upgrade',
  'safe-downgrade': 'safeDowngrade',
  'unsafe-downgrade': 'unsafeDowngrade',
} as const

function refusalIn(answer: object): Refusal | undefined {
  return isRefusal(answer) ? answer : undefined
}

async function orRefusal<T>(ask: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof ConsensusError)) throw error
    return refusal(kafkaErrors.REQUEST_TIMED_OUT, error.message)
  }
}
