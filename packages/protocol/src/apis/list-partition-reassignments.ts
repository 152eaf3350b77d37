// KIP-455.
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const listPartitionReassignmentsApi = defineApi({
  key: 46,
  name: 'ListPartitionReassignments',
  versions: [0, 0],
  flexibleSince: 0,
  request: s.struct({
    timeoutMs: s.int32,
    /** Null for all partitions. */
    topics: s.nullableArray(s.struct({ name: s.string, partitionIndexes: s.array(s.int32) })),
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    errorCode: s.int16,
    errorMessage: s.nullableString,
    topics: s.array(
      s.struct({
        name: s.string,
        partitions: s.array(
          s.struct({
            partitionIndex: s.int32,
            replicas: s.array(s.int32),
            addingReplicas: s.array(s.int32),
            removingReplicas: s.array(s.int32),
          }),
        ),
      }),
    ),
  }),
})
