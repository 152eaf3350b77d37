// KIP-853. Versions: 1 whether to wait until it is committed (KIP-1186).
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const addRaftVoterApi = defineApi({
  key: 80,
  name: 'AddRaftVoter',
  versions: [0, 1],
  flexibleSince: 0,
  request: s.struct({
    clusterId: s.nullableString,
    timeoutMs: s.int32,
    voterId: s.int32,
    voterDirectoryId: s.uuid,
    listeners: s.array(s.struct({ name: s.string, host: s.string, port: s.uint16 })),
    ackWhenCommitted: s.since(1, s.boolean, true),
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    errorCode: s.int16,
    errorMessage: s.nullableString,
  }),
})
