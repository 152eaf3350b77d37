import { kafkaErrors } from '@naru/model'
import type { PartitionAdmin, PartitionExplanation, ReplicaExplanation } from '@naru/services'
import { timestampOf } from './proto-time.ts'
import { Refused, type UnaryHandler } from './unary-call.ts'

export type PartitionExplainer = Pick<PartitionAdmin, 'explain'>

/** `naru.admin.v1.PartitionService`, by method. */
export interface PartitionHandlers {
  readonly ExplainPartition: UnaryHandler<
    { readonly topic: string; readonly partition: number },
    object
  >
}

export function partitionHandlers(partitions: PartitionExplainer): PartitionHandlers {
  return {
    ExplainPartition: async (named) => {
      if (named.topic === '') {
        const message = 'The name of the topic is missing'
        return new Refused({ error: kafkaErrors.INVALID_REQUEST, message, field: 'topic' })
      }
      const answer = partitions.explain(named)
      return 'error' in answer ? new Refused(answer) : explanationOf(answer)
    },
  }
}

function explanationOf({ topic, partition, replicas, past, sentences }: PartitionExplanation) {
  const { election, isrChange } = past
  return {
    topic,
    partition: partition.partition,
    leaderId: nodeIdOf(partition.leader),
    leaderEpoch: partition.leaderEpoch,
    partitionEpoch: partition.partitionEpoch,
    minInsyncReplicas: partition.minIsr,
    replicas: replicas.map((replica) => ({ ...replica, state: states[replica.state] })),
    lastElection: election && {
      leaderId: nodeIdOf(election.leader),
      previousLeaderId: nodeIdOf(election.previous),
      leaderEpoch: election.leaderEpoch,
      time: timestampOf(election.timestampMs),
      cause: election.cause,
      isUnclean: election.isUnclean,
    },
    lastIsrChange: isrChange && {
      leftIds: isrChange.left,
      joinedIds: isrChange.joined,
      time: timestampOf(isrChange.timestampMs),
      cause: isrChange.cause,
    },
    sentences,
  }
}

function nodeIdOf(nodeId: number): number | undefined {
  return nodeId < 0 ? undefined : nodeId
}

const states: Readonly<Record<ReplicaExplanation['state'], string>> = {
  leader: 'REPLICA_STATE_LEADER',
  inSync: 'REPLICA_STATE_IN_SYNC',
  eligible: 'REPLICA_STATE_ELIGIBLE',
  lastKnown: 'REPLICA_STATE_LAST_KNOWN_ELIGIBLE',
  outOfSync: 'REPLICA_STATE_OUT_OF_SYNC',
}
