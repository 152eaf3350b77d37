import type { FileSystem } from '@naru/base'
import { dirname } from './paths.ts'

/** Replaces a small file so that after a crash either the old or the new content is there: temporary, fsync, rename, directory fsync. */
export async function replaceFile(
  fileSystem: FileSystem,
  path: string,
  content: Buffer,
): Promise<void> {
  const temporary = `${path}.tmp`
  await fileSystem.remove(temporary)
  const file = await fileSystem.open(temporary, 'create')
  try {
    await file.write([content], 0)
    await file.datasync()
  } finally {
    await file.close()
  }
  await fileSystem.rename(temporary, path)
  await fileSystem.syncDirectory(dirname(path))
}

/** The content of a small file, or undefined when there is none. */
export async function readFileIfPresent(
  fileSystem: FileSystem,
  path: string,
): Promise<Buffer | undefined> {
  if ((await fileSystem.stat(path)) === undefined) return undefined
  return fileSystem.readFile(path)
}
