// Versions: 8 record errors (KIP-467); 9 flexible; 10 current leader (KIP-951); 12 implicit transactions (KIP-890);
// 13 topic ids (KIP-516). 0 to 2 are advertised for old clients that look for them, and refused (KAFKA-18659).
import { zeroTopicId } from '@naru/model'
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const produceApi = defineApi({
  key: 0,
  name: 'Produce',
  versions: [3, 13],
  advertisedMin: 0,
  flexibleSince: 9,
  request: s.struct({
    transactionalId: s.nullableString,
    /** -1 all in-sync replicas, 1 the leader, 0 none: no response is sent. */
    acks: s.int16,
    timeoutMs: s.int32,
    topicData: s.array(
      s.struct({
        name: s.until(12, s.string, ''),
        topicId: s.since(13, s.uuid, zeroTopicId),
        partitionData: s.array(s.struct({ index: s.int32, records: s.records })),
      }),
    ),
  }),
  response: s.struct({
    responses: s.array(
      s.struct({
        name: s.until(12, s.string, ''),
        topicId: s.since(13, s.uuid, zeroTopicId),
        partitionResponses: s.array(
          s.struct({
            index: s.int32,
            errorCode: s.int16,
            baseOffset: s.int64,
            /** -1 unless the topic has LogAppendTime. */
            logAppendTimeMs: s.int64,
            logStartOffset: s.since(5, s.int64, -1n),
            /** The records that made the whole batch refused. */
            recordErrors: s.since(
              8,
              s.array(s.struct({ batchIndex: s.int32, batchIndexErrorMessage: s.nullableString })),
              [],
            ),
            errorMessage: s.since(8, s.nullableString, null),
            /** Where to send it instead, with NOT_LEADER_OR_FOLLOWER. */
            currentLeader: s.taggedOptional(
              0,
              10,
              s.struct({ leaderId: s.int32, leaderEpoch: s.int32 }),
            ),
          }),
        ),
      }),
    ),
    throttleTimeMs: s.int32,
    nodeEndpoints: s.tagged(
      0,
      10,
      s.array(
        s.struct({
          nodeId: s.int32,
          host: s.string,
          port: s.int32,
          rack: s.nullableString,
        }),
      ),
      [],
    ),
  }),
})
