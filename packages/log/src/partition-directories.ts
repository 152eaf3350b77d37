import type { FileSystem, Logger } from '@naru/base'
import { isAside } from './aside.ts'
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

export interface PartitionsListed {
  readonly found: PartitionFound[]
  /** Ids of logs that were put aside. */
  readonly aside: ReadonlySet<string>
  /** What deletions left behind: the caller removes it once no checkpoint names those logs. */
  readonly deleted: readonly string[]
}

/**
 * The partition directories of a log directory, and what was put aside. A directory without an identity never took an append, and
 * is removed. When it holds segments all the same, its identity was lost: it is left as it is, and stands
 * in the way of an empty log of that name.
 */
export async function listPartitions(
  fileSystem: FileSystem,
  path: string,
  logger: Logger,
): Promise<PartitionsListed> {
  const found: PartitionFound[] = []
  const deleted: string[] = []
  const aside = new Set<string>()
  await forEachParallel(await fileSystem.list(path), 16, async (name) => {
    const directory = join(path, name)
    if (isAside(name)) {
      const identity = await identityIn(fileSystem, directory)
      if (identity !== undefined) aside.add(identity.logId)
      if (name.endsWith('-delete')) deleted.push(directory)
      return
    }
    if (topicPartitionOfDirectory(name) === undefined) return
    const fileNames = await fileSystem.list(directory)
    const identity = await identityIn(fileSystem, directory)
    if (identity !== undefined) {
      found.push({ name, path: directory, identity, fileNames })
    } else if (fileNames.some(isSegment)) {
      logger.error('log-unidentified', { directory, file: identityName })
    } else {
      await fileSystem.removeDirectory(directory)
    }
  })
  found.sort((a, b) => (a.name < b.name ? -1 : 1))
  return { found, aside, deleted }
}

async function identityIn(fileSystem: FileSystem, directory: string) {
  const bytes = await readFileIfPresent(fileSystem, join(directory, identityName))
  return bytes === undefined ? undefined : decodeIdentity(bytes)
}

/** Whether a directory is there and holds segments. */
export async function holdsSegments(fileSystem: FileSystem, path: string): Promise<boolean> {
  const isThere = (await fileSystem.stat(path)) !== undefined
  return isThere && (await fileSystem.list(path)).some(isSegment)
}

function isSegment(fileName: string): boolean {
  return fileName.endsWith('.log')
}
