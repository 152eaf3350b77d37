// KIP-664.
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const describeProducersApi = defineApi({
  key: 61,
  name: 'DescribeProducers',
  versions: [0, 0],
  flexibleSince: 0,
  request: s.struct({
    topics: s.array(s.struct({ name: s.string, partitionIndexes: s.array(s.int32) })),
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    topics: s.array(
      s.struct({
        name: s.string,
        partitions: s.array(
          s.struct({
            partitionIndex: s.int32,
            errorCode: s.int16,
            errorMessage: s.nullableString,
            activeProducers: s.array(
              s.struct({
                producerId: s.int64,
                producerEpoch: s.int32,
                /** -1 when not known. */
                lastSequence: s.int32,
                lastTimestamp: s.int64,
                coordinatorEpoch: s.int32,
                /** -1 when no transaction is open. */
                currentTxnStartOffset: s.int64,
              }),
            ),
          }),
        ),
      }),
    ),
  }),
})
