export type {
  ClusterAdmin,
  ClusterHealth,
  QuorumReplica,
  QuorumStatus,
  VoterKey,
} from './cluster-admin.ts'
export type { GrpcApi, GrpcApiOptions } from './grpc-api.ts'
export { createGrpcApi } from './grpc-api.ts'
