// Versions: 2 isolation level; 4 leader epoch (KIP-320); 6 flexible; 7 max timestamp (-3); 8 earliest local (-4);
// 9 latest tiered (-5); 10 time-out (KIP-1075); 11 earliest pending upload (-6).
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const listOffsetsApi = defineApi({
  key: 2,
  name: 'ListOffsets',
  versions: [1, 11],
  flexibleSince: 6,
  request: s.struct({
    /** -1 for a consumer. */
    replicaId: s.int32,
    isolationLevel: s.since(2, s.int8, 0),
    topics: s.array(
      s.struct({
        name: s.string,
        partitions: s.array(
          s.struct({
            partitionIndex: s.int32,
            currentLeaderEpoch: s.since(4, s.int32, -1),
            /** In milliseconds, or one of the special values below zero. */
            timestamp: s.int64,
          }),
        ),
      }),
    ),
    /** How long to wait for tiered storage (KIP-1075). */
    timeoutMs: s.since(10, s.int32, 0),
  }),
  response: s.struct({
    throttleTimeMs: s.since(2, s.int32, 0),
    topics: s.array(
      s.struct({
        name: s.string,
        partitions: s.array(
          s.struct({
            partitionIndex: s.int32,
            errorCode: s.int16,
            /** -1 when nothing was found, and for the special values but max timestamp. */
            timestamp: s.int64,
            offset: s.int64,
            leaderEpoch: s.since(4, s.int32, -1),
          }),
        ),
      }),
    ),
  }),
})
