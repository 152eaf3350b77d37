// Versions: 0 client metrics only (KIP-714); 1 any type (KIP-1142).
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const listConfigResourcesApi = defineApi({
  key: 74,
  name: 'ListConfigResources',
  versions: [0, 1],
  flexibleSince: 0,
  request: s.struct({ resourceTypes: s.since(1, s.array(s.int8), []) }),
  response: s.struct({
    throttleTimeMs: s.int32,
    errorCode: s.int16,
    configResources: s.array(
      s.struct({ resourceName: s.string, resourceType: s.since(1, s.int8, 16) }),
    ),
  }),
})
