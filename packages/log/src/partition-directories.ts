import type { FileSystem, Logger } from '@naru/base'
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
 * took an append, and is removed. When it holds segments all the same, its identity was lost: it is left as it is, and stands
 * in the way of an empty log of that name.
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
    const identity = fileNames.includes(identityName)
      ? decodeIdentity(await fileSystem.readFile(join(directory, identityName)))
      : undefined
    if (identity !== undefined) {
      found.push({ name, path: directory, identity, fileNames })
    } else if (fileNames.some(isSegment)) {
      logger.error('log-unidentified', { directory, file: identityName })
    } else {
      await fileSystem.removeDirectory(directory)
    }
  })
  return found.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Whether a directory is there and holds segments. */
export async function holdsSegments(fileSystem: FileSystem, path: string): Promise<boolean> {
  const isThere = (await fileSystem.stat(path)) !== undefined
  return isThere && (await fileSystem.list(path)).some(isSegment)
}

function isSegment(fileName: string): boolean {
  return fileName.endsWith('.log')
}
