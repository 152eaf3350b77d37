export type { GrpcApi, GrpcApiOptions } from './grpc-api.ts'
export { createGrpcApi } from './grpc-api.ts'
