// KIP-107. Version 2 is flexible.
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const deleteRecordsApi = defineApi({
  key: 21,
  name: 'DeleteRecords',
  versions: [0, 2],
  flexibleSince: 2,
  request: s.struct({
    topics: s.array(
      s.struct({
        name: s.string,
        /** -1 for the high watermark. */
        partitions: s.array(s.struct({ partitionIndex: s.int32, offset: s.int64 })),
      }),
    ),
    timeoutMs: s.int32,
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    topics: s.array(
      s.struct({
        name: s.string,
        partitions: s.array(
          s.struct({ partitionIndex: s.int32, lowWatermark: s.int64, errorCode: s.int16 }),
        ),
      }),
    ),
  }),
})
