// KIP-584. Versions: 1 kinds of downgrade, validation only (KIP-778); 2 an update fails or succeeds as a whole (KIP-1022).
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const updateFeaturesApi = defineApi({
  key: 57,
  name: 'UpdateFeatures',
  versions: [0, 2],
  flexibleSince: 0,
  request: s.struct({
    timeoutMs: s.int32,
    featureUpdates: s.array(
      s.struct({
        feature: s.string,
        /** 0 takes the feature away. */
        maxVersionLevel: s.int16,
        allowDowngrade: s.until(0, s.boolean, false),
        /** 1 upgrade, 2 downgrade that loses nothing, 3 downgrade that may. */
        upgradeType: s.since(1, s.int8, 1),
      }),
    ),
    validateOnly: s.since(1, s.boolean, false),
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    errorCode: s.int16,
    errorMessage: s.nullableString,
    results: s.until(
      1,
      s.array(s.struct({ feature: s.string, errorCode: s.int16, errorMessage: s.nullableString })),
      [],
    ),
  }),
})
