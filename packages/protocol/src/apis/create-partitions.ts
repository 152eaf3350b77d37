// KIP-195. Version 2 is flexible.
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const createPartitionsApi = defineApi({
  key: 37,
  name: 'CreatePartitions',
  versions: [0, 3],
  flexibleSince: 2,
  request: s.struct({
    topics: s.array(
      s.struct({
        name: s.string,
        /** The new total. */
        count: s.int32,
        /** Null lets the broker place the new partitions. */
        assignments: s.nullableArray(s.struct({ brokerIds: s.array(s.int32) })),
      }),
    ),
    timeoutMs: s.int32,
    validateOnly: s.boolean,
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    results: s.array(
      s.struct({ name: s.string, errorCode: s.int16, errorMessage: s.nullableString }),
    ),
  }),
})
