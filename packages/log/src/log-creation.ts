import type { FileSystem } from '@naru/base'
import { replaceFile } from './atomic-file.ts'
import { identityName } from './file-names.ts'
import { encodeIdentity, type LogIdentity } from './log-identity.ts'
import { join } from './paths.ts'

/**
 * Makes the directory of a log with its identity. Its name, the file's content and the file's name are durable before this
 * resolves, because journal entries refer to the identity from the first append on.
 */
export async function makeLogDirectory(
  fileSystem: FileSystem,
  parent: string,
  { name, identity }: { name: string; identity: LogIdentity },
): Promise<string> {
  const path = join(parent, name)
  await fileSystem.makeDirectory(path)
  await replaceIdentity(fileSystem, path, identity)
  await fileSystem.syncDirectory(parent)
  return path
}

/** After a crash the directory has the old identity or the new one; durable when it resolves. */
export function replaceIdentity(
  fileSystem: FileSystem,
  path: string,
  identity: LogIdentity,
): Promise<void> {
  return replaceFile(fileSystem, join(path, identityName), encodeIdentity(identity))
}
