import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { batchesOf, compressionOf, readBatchHeader } from '@naru/records'

/** The codecs of the batches in a partition's first segment, as they lie on the disk. */
export function storedCodecs(dataDirectory: string, partition: string): (string | undefined)[] {
  const bytes = readFileSync(join(dataDirectory, partition, `${'0'.repeat(20)}.log`))
  return [...batchesOf(bytes)].map((batch) => compressionOf(readBatchHeader(batch).attributes))
}
