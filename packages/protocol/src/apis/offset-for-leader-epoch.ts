// KIP-320. Versions: 3 replica id; 4 flexible.
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const offsetForLeaderEpochApi = defineApi({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  versions: [2, 4],
  flexibleSince: 4,
  request: s.struct({
    /** -1 consumer, -2 unknown. */
    replicaId: s.since(3, s.int32, -2),
    topics: s.array(
      s.struct({
        topic: s.string,
        partitions: s.array(
          s.struct({ partition: s.int32, currentLeaderEpoch: s.int32, leaderEpoch: s.int32 }),
        ),
      }),
    ),
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    topics: s.array(
      s.struct({
        topic: s.string,
        partitions: s.array(
          s.struct({
            errorCode: s.int16,
            partition: s.int32,
            /** The epoch whose end is asked for. */
            leaderEpoch: s.int32,
            endOffset: s.int64,
          }),
        ),
      }),
    ),
  }),
})
