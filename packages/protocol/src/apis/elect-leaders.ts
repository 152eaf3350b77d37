// KIP-183. Versions: 1 unclean elections (KIP-460); 2 flexible.
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const electLeadersApi = defineApi({
  key: 43,
  name: 'ElectLeaders',
  versions: [0, 2],
  flexibleSince: 2,
  request: s.struct({
    /** 0 the preferred leader, 1 unclean. */
    electionType: s.since(1, s.int8, 0),
    /** Null for all partitions. */
    topicPartitions: s.nullableArray(s.struct({ topic: s.string, partitions: s.array(s.int32) })),
    timeoutMs: s.int32,
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    errorCode: s.since(1, s.int16, 0),
    replicaElectionResults: s.array(
      s.struct({
        topic: s.string,
        partitionResult: s.array(
          s.struct({ partitionId: s.int32, errorCode: s.int16, errorMessage: s.nullableString }),
        ),
      }),
    ),
  }),
})
