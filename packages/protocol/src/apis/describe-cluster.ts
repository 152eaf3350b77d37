// KIP-700. Versions: 1 endpoint type (KIP-919); 2 fenced brokers (KIP-1073).
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const describeClusterApi = defineApi({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 2],
  flexibleSince: 0,
  request: s.struct({
    includeClusterAuthorizedOperations: s.boolean,
    /** 1 brokers, 2 controllers. */
    endpointType: s.since(1, s.int8, 1),
    includeFencedBrokers: s.since(2, s.boolean, false),
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    errorCode: s.int16,
    errorMessage: s.nullableString,
    endpointType: s.since(1, s.int8, 1),
    clusterId: s.string,
    controllerId: s.int32,
    brokers: s.array(
      s.struct({
        brokerId: s.int32,
        host: s.string,
        port: s.int32,
        rack: s.nullableString,
        isFenced: s.since(2, s.boolean, false),
      }),
    ),
    clusterAuthorizedOperations: s.int32,
  }),
})
