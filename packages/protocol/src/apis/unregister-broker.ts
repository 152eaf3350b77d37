// KIP-631.
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const unregisterBrokerApi = defineApi({
  key: 64,
  name: 'UnregisterBroker',
  versions: [0, 0],
  flexibleSince: 0,
  request: s.struct({ brokerId: s.int32 }),
  response: s.struct({
    throttleTimeMs: s.int32,
    errorCode: s.int16,
    errorMessage: s.nullableString,
  }),
})
