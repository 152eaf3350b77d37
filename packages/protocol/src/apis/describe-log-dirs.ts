// Versions: 2 flexible; 3 top-level error; 4 total and usable bytes (KIP-827).
import { defineApi } from '../api.ts'
import * as s from '../schema.ts'

export const describeLogDirsApi = defineApi({
  key: 35,
  name: 'DescribeLogDirs',
  versions: [1, 4],
  flexibleSince: 2,
  request: s.struct({
    /** Null for all. */
    topics: s.nullableArray(s.struct({ topic: s.string, partitions: s.array(s.int32) })),
  }),
  response: s.struct({
    throttleTimeMs: s.int32,
    errorCode: s.since(3, s.int16, 0),
    results: s.array(
      s.struct({
        errorCode: s.int16,
        logDir: s.string,
        topics: s.array(
          s.struct({
            name: s.string,
            partitions: s.array(
              s.struct({
                partitionIndex: s.int32,
                partitionSize: s.int64,
                /** How far the replica is behind the high watermark, or a future one behind the current. */
                offsetLag: s.int64,
                /** The copy that is on its way to another directory. */
                isFutureKey: s.boolean,
              }),
            ),
          }),
        ),
        /** Of the volume; -1 when unknown. */
        totalBytes: s.since(4, s.int64, -1n),
        usableBytes: s.since(4, s.int64, -1n),
      }),
    ),
  }),
})
