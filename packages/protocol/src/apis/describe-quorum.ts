// KIP-595. Versions: 1 times of the last fetch (KIP-836); 2 directory ids, addresses, messages (KIP-853).
import { zeroTopicId } from '@naru/model'
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

const replica = s.struct({
  replicaId: s.int32,
  replicaDirectoryId: s.since(2, s.uuid, zeroTopicId),
  logEndOffset: s.int64,
  /** By the leader's clock, in milliseconds; -1 when unknown. */
  lastFetchTimestamp: s.since(1, s.int64, -1n),
  lastCaughtUpTimestamp: s.since(1, s.int64, -1n),
})

const node = s.struct({
  nodeId: s.int32,
  listeners: s.array(s.struct({ name: s.string, host: s.string, port: s.uint16 })),
})

export const describeQuorumApi = defineApi({
  key: 55,
  name: 'DescribeQuorum',
  versions: [0, 2],
  flexibleSince: 0,
  request: s.struct({
    topics: s.array(
      s.struct({
        topicName: s.string,
        partitions: s.array(s.struct({ partitionIndex: s.int32 })),
      }),
    ),
  }),
  response: s.struct({
    errorCode: s.int16,
    errorMessage: s.since(2, s.nullableString, null),
    topics: s.array(
      s.struct({
        topicName: s.string,
        partitions: s.array(
          s.struct({
            partitionIndex: s.int32,
            errorCode: s.int16,
            errorMessage: s.since(2, s.nullableString, null),
            leaderId: s.int32,
            leaderEpoch: s.int32,
            highWatermark: s.int64,
            currentVoters: s.array(replica),
            observers: s.array(replica),
          }),
        ),
      }),
    ),
    nodes: s.since(2, s.array(node), []),
  }),
})
