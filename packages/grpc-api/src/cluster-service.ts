import { kafkaErrors } from '@naru/model'
import type { ClusterAdmin, QuorumStatus, ReplicaStatus, VoterKey } from '@naru/services'
import type { CallError } from './error-map.ts'
import { timestampOf } from './timestamp.ts'
import { Refused, type UnaryHandler } from './unary-call.ts'

/** The part of administration that this API has so far. */
export type QuorumAdmin = Pick<
  ClusterAdmin,
  'health' | 'quorum' | 'transferLeader' | 'addVoter' | 'removeVoter'
>

/** `naru.admin.v1.ClusterService`, by method. */
export interface ClusterHandlers {
  readonly GetHealth: UnaryHandler<object, object>
  readonly GetQuorum: UnaryHandler<object, object>
  readonly TransferQuorumLeader: UnaryHandler<{ readonly nodeId: number }, object>
  readonly AddVoter: UnaryHandler<VoterKey, object>
  readonly RemoveVoter: UnaryHandler<VoterKey, object>
}

export function clusterHandlers(admin: QuorumAdmin): ClusterHandlers {
  return {
    GetHealth: async () => {
      const { leaderId, ...rest } = await admin.health()
      return leaderId < 0 ? rest : { quorumLeaderId: leaderId, ...rest }
    },
    GetQuorum: async () => {
      const answer = await admin.quorum()
      return 'error' in answer ? new Refused(answer) : quorumOf(answer)
    },
    TransferQuorumLeader: async ({ nodeId }) =>
      outcomeOf(wrongNodeId(nodeId) ?? (await admin.transferLeader(nodeId))),
    AddVoter: async (voter) => outcomeOf(wrongKey(voter) ?? (await admin.addVoter(voter))),
    RemoveVoter: async (voter) => outcomeOf(wrongKey(voter) ?? (await admin.removeVoter(voter))),
  }
}

function outcomeOf(refusal: CallError | undefined): object {
  return refusal === undefined ? {} : new Refused(refusal)
}

function wrongNodeId(nodeId: number): CallError | undefined {
  return nodeId < 0 ? invalid('node_id', 'A node id is 0 or more') : undefined
}

function wrongKey({ nodeId, directoryId }: VoterKey): CallError | undefined {
  if (directoryId === '') return invalid('directory_id', 'The directory id is missing')
  return wrongNodeId(nodeId)
}

function invalid(field: string, message: string): CallError {
  return { error: kafkaErrors.INVALID_REQUEST, message, field }
}

function quorumOf({ leaderId, leaderEpoch, highWatermark, voters, observers }: QuorumStatus) {
  return {
    leaderId,
    leaderEpoch,
    highWatermark: String(highWatermark),
    voters: voters.map(replicaOf),
    observers: observers.map(replicaOf),
  }
}

function replicaOf(replica: ReplicaStatus) {
  return {
    nodeId: replica.nodeId,
    directoryId: replica.directoryId,
    logEndOffset: String(replica.logEndOffset),
    lastFetchTime: timestampOf(replica.lastFetchMs),
    lastCaughtUpTime: timestampOf(replica.lastCaughtUpMs),
  }
}
