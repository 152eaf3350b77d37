export { createGrpcNetwork } from './grpc-network.ts'
export { replicationCodecs } from './replication/replication-codecs.ts'
