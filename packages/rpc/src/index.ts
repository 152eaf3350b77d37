export { createGrpcNetwork } from './grpc-network.ts'
