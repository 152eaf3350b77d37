// KIP-339. Version 1 is flexible.
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'
import { alterConfigsResponse } from './alter-configs.ts'

export const incrementalAlterConfigsApi = defineApi({
  key: 44,
  name: 'IncrementalAlterConfigs',
  versions: [0, 1],
  flexibleSince: 1,
  request: s.struct({
    resources: s.array(
      s.struct({
        resourceType: s.int8,
        resourceName: s.string,
        configs: s.array(
          s.struct({
            name: s.string,
            /** 0 set, 1 delete, 2 append, 3 subtract. */
            configOperation: s.int8,
            value: s.nullableString,
          }),
        ),
      }),
    ),
    validateOnly: s.boolean,
  }),
  response: alterConfigsResponse,
})
