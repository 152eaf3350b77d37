// Versions: 1 throttle; 3 flexible, client software and features (KIP-511, KIP-584); 4 features whose minimum is 0 (KAFKA-17011).
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const apiVersionsApi = defineApi({
  key: 18,
  name: 'ApiVersions',
  versions: [0, 4],
  flexibleSince: 3,
  request: s.struct({
    clientSoftwareName: s.since(3, s.string, ''),
    clientSoftwareVersion: s.since(3, s.string, ''),
  }),
  response: s.struct({
    errorCode: s.int16,
    apiKeys: s.array(s.struct({ apiKey: s.int16, minVersion: s.int16, maxVersion: s.int16 })),
    throttleTimeMs: s.since(1, s.int32, 0),
    supportedFeatures: s.tagged(
      0,
      3,
      s.array(s.struct({ name: s.string, minVersion: s.int16, maxVersion: s.int16 })),
      [],
    ),
    /** Metadata offset of the finalized features; -1 when unknown. */
    finalizedFeaturesEpoch: s.tagged(1, 3, s.int64, -1n),
    finalizedFeatures: s.tagged(
      2,
      3,
      s.array(s.struct({ name: s.string, maxVersionLevel: s.int16, minVersionLevel: s.int16 })),
      [],
    ),
    zkMigrationReady: s.tagged(3, 3, s.boolean, false),
  }),
})
