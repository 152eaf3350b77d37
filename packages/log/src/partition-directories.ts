import type { FileSystem, Logger } from '@naru/base'
import { readFileIfPresent } from './atomic-file.ts'
import { identityName, topicPartitionOfDirectory } from './file-names.ts'
import { decodeIdentity, type LogIdentity } from './log-identity.ts'
import { forEachParallel } from './parallel.ts'
import { join } from './paths.ts'

export interface PartitionFound {
  /** `orders-3`. */
  readonly name: string
  readonly path: string
  readonly identity: LogIdentity
  readonly fileNames: readonly string[]
}

/**
 * The partition directories of a log directory. What a deletion left behind is removed. A directory without an identity never
 * took an append: it is removed when it is empty of segments, and set aside as stray when it is not.
 */
export async function listPartitions(
  fileSystem: FileSystem,
  path: string,
  logger: Logger,
): Promise<PartitionFound[]> {
  const found: PartitionFound[] = []
  await forEachParallel(await fileSystem.list(path), 16, async (name) => {
    const directory = join(path, name)
    if (name.endsWith('-delete')) {
      await fileSystem.removeDirectory(directory)
      return
    }
    if (topicPartitionOfDirectory(name) === undefined) return
    const fileNames = await fileSystem.list(directory)
    const bytes = await readFileIfPresent(fileSystem, join(directory, identityName))
    const identity = bytes === undefined ? undefined : decodeIdentity(bytes)
    if (identity !== undefined) {
      found.push({ name, path: directory, identity, fileNames })
    } else if (fileNames.some((file) => file.endsWith('.log'))) {
      logger.error('stray-directory', { directory, reason: 'no identity file' })
      await fileSystem.rename(directory, `${directory}.unidentified-stray`)
    } else {
      await fileSystem.removeDirectory(directory)
    }
  })
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}
