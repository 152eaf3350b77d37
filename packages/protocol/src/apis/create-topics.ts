// Versions: 4 defaults as -1 (KIP-464); 5 flexible, configs in the answer (KIP-525); 7 topic id.
import { zeroTopicId } from '@naru/model'
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const createTopicsApi = defineApi({
  key: 19,
  name: 'CreateTopics',
  versions: [2, 7],
  flexibleSince: 5,
  request: s.struct({
    topics: s.array(
      s.struct({
        name: s.string,
        /** -1 for the default of the broker, or with assignments. */
        numPartitions: s.int32,
        replicationFactor: s.int16,
        /** Empty lets the broker place the replicas. */
        assignments: s.array(s.struct({ partitionIndex: s.int32, brokerIds: s.array(s.int32) })),
        configs: s.array(s.struct({ name: s.string, value: s.nullableString })),
      }),
    ),
    timeoutMs: s.int32,
    /** Answer as if, but create nothing. */
    validateOnly: s.boolean,
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    topics: s.array(
      s.struct({
        name: s.string,
        topicId: s.since(7, s.uuid, zeroTopicId),
        errorCode: s.int16,
        errorMessage: s.nullableString,
        /** Why the configs are missing. */
        topicConfigErrorCode: s.tagged(0, 5, s.int16, 0),
        numPartitions: s.since(5, s.int32, -1),
        replicationFactor: s.since(5, s.int16, -1),
        configs: s.since(
          5,
          s.nullableArray(
            s.struct({
              name: s.string,
              value: s.nullableString,
              readOnly: s.boolean,
              configSource: s.int8,
              isSensitive: s.boolean,
            }),
          ),
          null,
        ),
      }),
    ),
  }),
})
