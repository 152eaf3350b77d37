/** Directories of logs that have lost their place: their names, and how many are kept. */
import type { FileSystem } from '@naru/base'
import { dirname, join } from './paths.ts'

/**
 * `delete`: goes before long, at the latest at the next start. `stray`: nobody knows the topic. `damaged`: another log took the place
 * of this one. None of the names is that of a log, here or in Kafka.
 */
export type Aside = 'delete' | 'stray' | 'damaged'

/** Of a file system, in bytes. */
const nameBytesMax = 255
/** Damaged logs that a log directory keeps for who wants to know what has happened to the disk. */
export const damagedLogsMax = 4

const damagedName = /\.(\d{15})[0-9a-f]{32}-damaged$/

/** `nowMs`: since 1970. */
export function asidePath(
  path: string,
  { suffix, nowMs, unique }: { suffix: Aside; nowMs: number; unique: string },
): string {
  // Damaged ones tell by their names which is the oldest.
  const age = suffix === 'damaged' ? String(nowMs).padStart(15, '0') : ''
  const tail = `.${age}${unique}-${suffix}`
  const directory = dirname(path)
  const name = path.slice(directory.length + 1)
  return join(directory, name.slice(0, nameBytesMax - tail.length) + tail)
}

export function isAside(name: string): boolean {
  return /-(delete|stray|damaged)$/.test(name)
}

/** Removes the oldest damaged logs that are too many. */
export async function removeOldestDamaged(fileSystem: FileSystem, path: string): Promise<void> {
  const ageOf = (name: string) => damagedName.exec(name)?.[1] ?? ''
  const damaged = (await fileSystem.list(path)).filter((name) => ageOf(name) !== '')
  damaged.sort((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1))
  for (const name of damaged.slice(0, Math.max(0, damaged.length - damagedLogsMax))) {
    await fileSystem.removeDirectory(join(path, name))
  }
}
