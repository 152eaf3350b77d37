// KIP-455. Versions: 1 refuses another replication factor where it is told to (KIP-860).
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const alterPartitionReassignmentsApi = defineApi({
  key: 45,
  name: 'AlterPartitionReassignments',
  versions: [0, 1],
  flexibleSince: 0,
  request: s.struct({
    timeoutMs: s.int32,
    allowReplicationFactorChange: s.since(1, s.boolean, true),
    topics: s.array(
      s.struct({
        name: s.string,
        partitions: s.array(
          s.struct({
            partitionIndex: s.int32,
            /** Null takes back a reassignment that is under way. */
            replicas: s.nullableArray(s.int32),
          }),
        ),
      }),
    ),
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    allowReplicationFactorChange: s.since(1, s.boolean, true),
    errorCode: s.int16,
    errorMessage: s.nullableString,
    responses: s.array(
      s.struct({
        name: s.string,
        partitions: s.array(
          s.struct({ partitionIndex: s.int32, errorCode: s.int16, errorMessage: s.nullableString }),
        ),
      }),
    ),
  }),
})
