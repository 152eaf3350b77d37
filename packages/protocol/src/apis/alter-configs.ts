// The older form: what is not named goes back to its default. Version 2 is flexible.
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

/** The answer that both forms of altering share. */
export const alterConfigsResponse = s.struct({
  throttleTimeMs: s.int32,
  responses: s.array(
    s.struct({
      errorCode: s.int16,
      errorMessage: s.nullableString,
      /** 2 topic, 4 broker, 8 loggers, 16 client metrics, 32 group. */
      resourceType: s.int8,
      resourceName: s.string,
    }),
  ),
})

export const alterConfigsApi = defineApi({
  key: 33,
  name: 'AlterConfigs',
  versions: [0, 2],
  flexibleSince: 2,
  request: s.struct({
    resources: s.array(
      s.struct({
        resourceType: s.int8,
        resourceName: s.string,
        configs: s.array(s.struct({ name: s.string, value: s.nullableString })),
      }),
    ),
    validateOnly: s.boolean,
  }),
  response: alterConfigsResponse,
})
