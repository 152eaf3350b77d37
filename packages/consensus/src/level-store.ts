import { Level } from 'level'
import { MetadataStoreError } from './errors.ts'

export type BinaryLevel = Level<Buffer, Buffer>

/** Opens a LevelDB with binary keys and values. A second process on the same directory gets DIRECTORY_LOCKED. */
export async function openLevel(directory: string): Promise<BinaryLevel> {
  const level: BinaryLevel = new Level(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    // The metadata of one broker is small: the default of 8 MB cache and 4 MB buffer is memory for nothing.
    cacheSize: 1 << 20,
    writeBufferSize: 1 << 20,
  })
  try {
    await level.open()
  } catch (error) {
    if (!isLocked(error)) throw error
    throw new MetadataStoreError('DIRECTORY_LOCKED', {
      directory,
      message: `Cannot open ${directory}: another process uses it`,
      hint: 'Stop the other broker, or give this one a directory of its own (log.dirs)',
      cause: error,
    })
  }
  return level
}

function isLocked(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED'
}

/**
 * Keeps other processes out of a directory until it is disposed of or the process ends. Node has no flock and a process id means
 * nothing across containers; LevelDB holds a kernel lock on a file of its own.
 */
export async function lockDirectory(directory: string): Promise<AsyncDisposable> {
  const level = await openLevel(`${directory}/.lock`)
  return { [Symbol.asyncDispose]: () => level.close() }
}
