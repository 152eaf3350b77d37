// Versions: 1 key type, throttle, message; 3 flexible; 4 several keys (KIP-699); 5 abortable errors; 6 share groups.
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const findCoordinatorApi = defineApi({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 6],
  flexibleSince: 3,
  request: s.struct({
    key: s.until(3, s.string, ''),
    /** 0 group, 1 transaction, 2 share. */
    keyType: s.since(1, s.int8, 0),
    coordinatorKeys: s.since(4, s.array(s.string), []),
  }),
  response: s.struct({
    throttleTimeMs: s.since(1, s.int32, 0),
    errorCode: s.until(3, s.int16, 0),
    errorMessage: s.between(1, 3, s.nullableString, null),
    nodeId: s.until(3, s.int32, -1),
    host: s.until(3, s.string, ''),
    port: s.until(3, s.int32, -1),
    coordinators: s.since(
      4,
      s.array(
        s.struct({
          key: s.string,
          nodeId: s.int32,
          host: s.string,
          port: s.int32,
          errorCode: s.int16,
          errorMessage: s.nullableString,
        }),
      ),
      [],
    ),
  }),
})
