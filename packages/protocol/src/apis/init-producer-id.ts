// Versions: 2 flexible; 3 producer id and epoch to resume (KIP-360); 4 PRODUCER_FENCED; 5 abortable errors (KIP-890).
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const initProducerIdApi = defineApi({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 5],
  flexibleSince: 2,
  request: s.struct({
    /** Null for a producer that is only idempotent. */
    transactionalId: s.nullableString,
    transactionTimeoutMs: s.int32,
    /** -1 for a new one. */
    producerId: s.since(3, s.int64, -1n),
    producerEpoch: s.since(3, s.int16, -1),
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    errorCode: s.int16,
    producerId: s.int64,
    producerEpoch: s.int16,
  }),
})
