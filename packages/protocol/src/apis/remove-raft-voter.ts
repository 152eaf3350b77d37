// KIP-853.
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const removeRaftVoterApi = defineApi({
  key: 81,
  name: 'RemoveRaftVoter',
  versions: [0, 0],
  flexibleSince: 0,
  request: s.struct({
    clusterId: s.nullableString,
    voterId: s.int32,
    voterDirectoryId: s.uuid,
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    errorCode: s.int16,
    errorMessage: s.nullableString,
  }),
})
