import { assert, type DirectFile, type FileSystem } from '@naru/base'
import { pageBytes } from './journal-round.ts'
import { join } from './paths.ts'

export interface JournalFile {
  readonly number: number
  readonly sizeBytes: number
  readonly file: DirectFile
}

const zeroChunkBytes = 1 << 20

/**
 * The preallocated files of a journal. A file is filled with zeros before its first use, because a synchronous write into an
 * unwritten extent costs a second one for the file system's own records.
 */
export class JournalFiles {
  readonly #fileSystem: FileSystem
  readonly #directory: string
  readonly #free: JournalFile[] = []
  #all: JournalFile[] = []
  #nextNumber = 1

  constructor(fileSystem: FileSystem, directory: string) {
    this.#fileSystem = fileSystem
    this.#directory = directory
  }

  get count(): number {
    return this.#all.length
  }

  get freeCount(): number {
    return this.#free.length
  }

  get largestBytes(): number {
    return this.#all.reduce((most, file) => Math.max(most, file.sizeBytes), 0)
  }

  /** Takes over what an earlier run left, and makes files until there are `count`. All of them are free. */
  async prepare({ count, sizeBytes }: { count: number; sizeBytes: number }): Promise<void> {
    // An earlier run may have ended between the renaming of a file and this.
    await this.#fileSystem.syncDirectory(this.#directory)
    for (const { number, sizeBytes: size } of await listJournalFiles(
      this.#fileSystem,
      this.#directory,
    )) {
      this.#nextNumber = Math.max(this.#nextNumber, number + 1)
      if (size < sizeBytes || size % pageBytes !== 0) {
        await this.#fileSystem.remove(join(this.#directory, fileName(number)))
      } else {
        await this.#adopt(number, size)
      }
    }
    while (this.#all.length < count) await this.grow(sizeBytes)
  }

  /** Makes one more free file, durable with its name. */
  async grow(sizeBytes: number): Promise<void> {
    const number = this.#nextNumber++
    const path = join(this.#directory, `${fileName(number)}.new`)
    await this.#fileSystem.remove(path)
    const file = await this.#fileSystem.open(path, 'create')
    try {
      const zeros = Buffer.alloc(Math.min(zeroChunkBytes, sizeBytes))
      for (let at = 0; at < sizeBytes; at += zeros.length) {
        await file.write([zeros.subarray(0, Math.min(zeros.length, sizeBytes - at))], at)
        // Piece by piece: the rounds that are written meanwhile would wait for all of it.
        await file.datasync()
      }
    } finally {
      await file.close()
    }
    await this.#fileSystem.rename(path, join(this.#directory, fileName(number)))
    await this.#fileSystem.syncDirectory(this.#directory)
    await this.#adopt(number, sizeBytes)
  }

  /** A free file that holds at least `bytes`, or undefined when all are in use or too small. */
  take(bytes: number): JournalFile | undefined {
    const index = this.#free.findIndex((file) => file.sizeBytes >= bytes)
    return index < 0 ? undefined : this.#free.splice(index, 1)[0]
  }

  release(file: JournalFile): void {
    assert(!this.#free.includes(file), `Journal file ${file.number} was released twice`)
    this.#free.push(file)
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map(({ file }) => file.close()))
    this.#all = []
  }

  async #adopt(number: number, sizeBytes: number): Promise<void> {
    const file = await this.#fileSystem.openDirect(join(this.#directory, fileName(number)))
    const journalFile = { number, sizeBytes, file }
    this.#all.push(journalFile)
    this.#free.push(journalFile)
  }
}

export function fileName(number: number): string {
  return `journal-${number}`
}

/** The journal files in a directory, by number; left-overs of an unfinished `grow` are not among them. */
export async function listJournalFiles(
  fileSystem: FileSystem,
  directory: string,
): Promise<{ number: number; sizeBytes: number }[]> {
  const files: { number: number; sizeBytes: number }[] = []
  for (const name of await fileSystem.list(directory)) {
    const match = /^journal-(\d+)$/.exec(name)
    if (match === null) continue
    const stat = await fileSystem.stat(join(directory, name))
    if (stat !== undefined) files.push({ number: Number(match[1]), sizeBytes: stat.sizeBytes })
  }
  return files.sort((a, b) => a.number - b.number)
}
