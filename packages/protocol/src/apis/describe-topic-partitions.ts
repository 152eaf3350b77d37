// KIP-966.
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

const cursor = s.struct({ topicName: s.string, partitionIndex: s.int32 })

export const describeTopicPartitionsApi = defineApi({
  key: 75,
  name: 'DescribeTopicPartitions',
  versions: [0, 0],
  flexibleSince: 0,
  request: s.struct({
    topics: s.array(s.struct({ name: s.string })),
    responsePartitionLimit: s.int32,
    /** Where an earlier answer stopped. */
    cursor: s.nullableStruct(cursor),
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    topics: s.array(
      s.struct({
        errorCode: s.int16,
        name: s.nullableString,
        topicId: s.uuid,
        isInternal: s.boolean,
        partitions: s.array(
          s.struct({
            errorCode: s.int16,
            partitionIndex: s.int32,
            leaderId: s.int32,
            leaderEpoch: s.int32,
            replicaNodes: s.array(s.int32),
            isrNodes: s.array(s.int32),
            /** Out of sync, but known to have all that is committed. */
            eligibleLeaderReplicas: s.nullableArray(s.int32),
            /** Was last in sync, when nothing better is known. */
            lastKnownElr: s.nullableArray(s.int32),
            offlineReplicas: s.array(s.int32),
          }),
        ),
        topicAuthorizedOperations: s.int32,
      }),
    ),
    nextCursor: s.nullableStruct(cursor),
  }),
})
