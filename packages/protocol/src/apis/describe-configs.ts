// Versions: 1 source and synonyms (KIP-226); 3 type and documentation (KIP-569); 4 flexible.
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const describeConfigsApi = defineApi({
  key: 32,
  name: 'DescribeConfigs',
  versions: [1, 4],
  flexibleSince: 4,
  request: s.struct({
    resources: s.array(
      s.struct({
        /** 2 topic, 4 broker, 8 loggers, 16 client metrics, 32 group. */
        resourceType: s.int8,
        resourceName: s.string,
        /** Null for all. */
        configurationKeys: s.nullableArray(s.string),
      }),
    ),
    includeSynonyms: s.boolean,
    includeDocumentation: s.since(3, s.boolean, false),
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    results: s.array(
      s.struct({
        errorCode: s.int16,
        errorMessage: s.nullableString,
        resourceType: s.int8,
        resourceName: s.string,
        configs: s.array(
          s.struct({
            name: s.string,
            value: s.nullableString,
            readOnly: s.boolean,
            /** 1 topic, 2 broker, 3 all brokers, 4 static, 5 default. */
            configSource: s.int8,
            isSensitive: s.boolean,
            synonyms: s.array(
              s.struct({ name: s.string, value: s.nullableString, source: s.int8 }),
            ),
            /** 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password. */
            configType: s.since(3, s.int8, 0),
            documentation: s.since(3, s.nullableString, null),
          }),
        ),
      }),
    ),
  }),
})
