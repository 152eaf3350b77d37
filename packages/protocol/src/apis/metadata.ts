// Versions: 1 controller, rack, null topics for all; 4 auto-creation; 5 offline replicas; 7 leader epoch; 8 authorized operations;
// 9 flexible; 10 topic ids (KIP-516); 11 no cluster operations; 12 look-up by id; 13 top-level error (KIP-1102).
import { zeroTopicId } from '@naru/model'
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

const notAsked = -2147483648

export const metadataApi = defineApi({
  key: 3,
  name: 'Metadata',
  versions: [0, 13],
  flexibleSince: 9,
  request: s.struct({
    /** Null for all topics; version 0 has an empty list for that. */
    topics: s.nullableSince(
      1,
      s.nullableArray(
        s.struct({
          topicId: s.since(10, s.uuid, zeroTopicId),
          /** Null for a look-up by id: allowed from version 12, carried from version 10. */
          name: s.nullableSince(10, s.nullableString),
        }),
      ),
    ),
    allowAutoTopicCreation: s.since(4, s.boolean, true),
    includeClusterAuthorizedOperations: s.between(8, 10, s.boolean, false),
    includeTopicAuthorizedOperations: s.since(8, s.boolean, false),
  }),
  response: s.struct({
    throttleTimeMs: s.since(3, s.int32, 0),
    brokers: s.array(
      s.struct({
        nodeId: s.int32,
        host: s.string,
        port: s.int32,
        rack: s.since(1, s.nullableString, null),
      }),
    ),
    clusterId: s.since(2, s.nullableString, null),
    controllerId: s.since(1, s.int32, -1),
    topics: s.array(
      s.struct({
        errorCode: s.int16,
        name: s.nullableString,
        topicId: s.since(10, s.uuid, zeroTopicId),
        isInternal: s.since(1, s.boolean, false),
        partitions: s.array(
          s.struct({
            errorCode: s.int16,
            partitionIndex: s.int32,
            leaderId: s.int32,
            leaderEpoch: s.since(7, s.int32, -1),
            replicaNodes: s.array(s.int32),
            isrNodes: s.array(s.int32),
            offlineReplicas: s.since(5, s.array(s.int32), []),
          }),
        ),
        topicAuthorizedOperations: s.since(8, s.int32, notAsked),
      }),
    ),
    /** A bit set; the smallest int32 when not asked for. */
    clusterAuthorizedOperations: s.between(8, 10, s.int32, notAsked),
    errorCode: s.since(13, s.int16, 0),
  }),
})
