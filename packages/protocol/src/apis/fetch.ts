// Versions: 5 log start offset; 7 sessions (KIP-227); 9 current leader epoch (KIP-320); 11 rack (KIP-392); 12 flexible, last
// fetched epoch; 13 topic ids (KIP-516); 15 replica state (KIP-903); 16 node endpoints (KIP-951); 17 replica directory; 18 high watermark.
import { zeroTopicId } from '@naru/model'
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

const epochEndOffset = s.struct({ epoch: s.int32, endOffset: s.int64 })

export const fetchApi = defineApi({
  key: 1,
  name: 'Fetch',
  versions: [4, 18],
  flexibleSince: 12,
  request: s.struct({
    clusterId: s.tagged(0, 12, s.nullableString, null),
    replicaState: s.taggedOptional(1, 15, s.struct({ replicaId: s.int32, replicaEpoch: s.int64 })),
    /** -1 for a consumer. */
    replicaId: s.until(14, s.int32, -1),
    maxWaitMs: s.int32,
    minBytes: s.int32,
    maxBytes: s.int32,
    /** 0 read_uncommitted, 1 read_committed. */
    isolationLevel: s.int8,
    /** 0 for no session, or a new one. */
    sessionId: s.since(7, s.int32, 0),
    /** -1 no session or its end, 0 a new one, then counted up. */
    sessionEpoch: s.since(7, s.int32, -1),
    topics: s.array(
      s.struct({
        topic: s.until(12, s.string, ''),
        topicId: s.since(13, s.uuid, zeroTopicId),
        partitions: s.array(
          s.struct({
            partition: s.int32,
            currentLeaderEpoch: s.since(9, s.int32, -1),
            fetchOffset: s.int64,
            /** -1 when the reader does not ask for divergence. */
            lastFetchedEpoch: s.since(12, s.int32, -1),
            logStartOffset: s.since(5, s.int64, -1n),
            partitionMaxBytes: s.int32,
            replicaDirectoryId: s.tagged(0, 17, s.uuid, zeroTopicId),
            highWatermark: s.tagged(1, 18, s.int64, 0x7fffffffffffffffn),
          }),
        ),
      }),
    ),
    /** Partitions that leave the session. */
    forgottenTopicsData: s.since(
      7,
      s.array(
        s.struct({
          topic: s.until(12, s.string, ''),
          topicId: s.since(13, s.uuid, zeroTopicId),
          partitions: s.array(s.int32),
        }),
      ),
      [],
    ),
    rackId: s.since(11, s.string, ''),
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    errorCode: s.since(7, s.int16, 0),
    sessionId: s.since(7, s.int32, 0),
    responses: s.array(
      s.struct({
        topic: s.until(12, s.string, ''),
        topicId: s.since(13, s.uuid, zeroTopicId),
        partitions: s.array(
          s.struct({
            partitionIndex: s.int32,
            errorCode: s.int16,
            highWatermark: s.int64,
            /** Up to here read_committed consumers may read. */
            lastStableOffset: s.int64,
            logStartOffset: s.since(5, s.int64, -1n),
            /** Where the log of the reader leaves ours (KIP-595). */
            divergingEpoch: s.taggedOptional(0, 12, epochEndOffset),
            currentLeader: s.taggedOptional(
              1,
              12,
              s.struct({ leaderId: s.int32, leaderEpoch: s.int32 }),
            ),
            snapshotId: s.taggedOptional(2, 12, s.struct({ endOffset: s.int64, epoch: s.int32 })),
            /** Null for read_uncommitted. */
            abortedTransactions: s.nullableArray(
              s.struct({ producerId: s.int64, firstOffset: s.int64 }),
            ),
            /** -1 unless the reader shall go to another replica. */
            preferredReadReplica: s.since(11, s.int32, -1),
            records: s.records,
          }),
        ),
      }),
    ),
    nodeEndpoints: s.tagged(
      0,
      16,
      s.array(s.struct({ nodeId: s.int32, host: s.string, port: s.int32, rack: s.nullableString })),
      [],
    ),
  }),
})
