/**
 * The disk port on Node's file descriptors. Descriptors and callbacks rather than `FileHandle`: its promises cost several times
 * the system call.
 */
import fs from 'node:fs'
import { type DirectFile, type File, type FileSystem, FileSystemError } from '@naru/base'

/** Linux takes at most 1024 buffers in one writev. */
const buffersPerWrite = 1024
const { O_DIRECT = 0, O_DSYNC, O_RDONLY, O_RDWR, O_CREAT, O_EXCL } = fs.constants

const flagsOf = {
  read: O_RDONLY,
  update: O_RDWR,
  write: O_RDWR | O_CREAT,
  create: O_RDWR | O_CREAT | O_EXCL,
}

type Callback<T> = (error: NodeJS.ErrnoException | null, value: T) => void

/** Turns one callback operation into a promise that rejects with a FileSystemError. */
function operate<T>(name: string, path: string, start: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (error === null || error === undefined) resolve(value)
      else reject(mapped(error, name, path))
    })
  })
}

function mapped(error: NodeJS.ErrnoException, operation: string, path: string): FileSystemError {
  return new FileSystemError(error.code ?? 'EIO', operation, path, error)
}

export const nodeFileSystem: FileSystem = {
  async open(path, mode) {
    const fd = await operate<number>('open', path, (done) => fs.open(path, flagsOf[mode], done))
    return new NodeFile(fd, path)
  },

  async openDirect(path) {
    const open = (flags: number) =>
      operate<number>('open', path, (done) => fs.open(path, O_RDWR | O_DSYNC | flags, done))
    try {
      return new NodeDirectFile(await open(O_DIRECT), path)
    } catch (error) {
      // tmpfs and some network file systems have no direct input/output.
      if (!(error instanceof FileSystemError) || error.code !== 'EINVAL') throw error
      return new NodeDirectFile(await open(0), path)
    }
  },

  list: (directory) => operate<string[]>('list', directory, (done) => fs.readdir(directory, done)),

  async makeDirectory(path) {
    await operate<unknown>('make directory', path, (done) =>
      fs.mkdir(path, { recursive: true }, done),
    )
  },

  rename: (from, to) =>
    operate<void>('rename', from, (done) => fs.rename(from, to, done as fs.NoParamCallback)),

  remove: (path) =>
    operate<void>('remove', path, (done) =>
      fs.rm(path, { force: true }, done as fs.NoParamCallback),
    ),

  removeDirectory: (path) =>
    operate<void>('remove directory', path, (done) =>
      fs.rm(path, { force: true, recursive: true }, done as fs.NoParamCallback),
    ),

  async syncDirectory(path) {
    const fd = await operate<number>('open', path, (done) => fs.open(path, O_RDONLY, done))
    try {
      await operate<void>('sync', path, (done) => fs.fsync(fd, done as fs.NoParamCallback))
    } finally {
      await operate<void>('close', path, (done) => fs.close(fd, done as fs.NoParamCallback))
    }
  },

  async stat(path) {
    try {
      const stats = await operate<fs.Stats>('stat', path, (done) => fs.stat(path, done))
      return {
        sizeBytes: stats.size,
        isDirectory: stats.isDirectory(),
        modifiedMs: stats.mtimeMs,
      }
    } catch (error) {
      if (error instanceof FileSystemError && error.code === 'ENOENT') return undefined
      throw error
    }
  },

  readFile: async (path) => {
    const fd = await operate<number>('open', path, (done) => fs.open(path, O_RDONLY, done))
    try {
      return await wholeFile(fd, path)
    } finally {
      fs.closeSync(fd)
    }
  },

  async diskSpace(path) {
    const stats = await operate<fs.StatsFs>('stat', path, (done) => fs.statfs(path, done))
    return { totalBytes: stats.blocks * stats.bsize, usableBytes: stats.bavail * stats.bsize }
  },
}

/**
 * The size of an open file and its end as a reader need no disk: they are asked for at once, since a start reads a file for each of
 * thousands of partitions, and the way to another thread and back costs ten times the call.
 */
async function wholeFile(fd: number, path: string): Promise<Buffer> {
  const content = Buffer.allocUnsafe(fs.fstatSync(fd).size)
  const size = await new NodeFile(fd, path).read(content, 0)
  return content.subarray(0, size)
}

class NodeFile implements File {
  readonly #fd: number
  readonly #path: string

  constructor(fd: number, path: string) {
    this.#fd = fd
    this.#path = path
  }

  async read(target: Uint8Array, position: number): Promise<number> {
    let filled = 0
    while (filled < target.length) {
      const read = await operate<number>('read', this.#path, (done) =>
        fs.read(this.#fd, target, filled, target.length - filled, position + filled, done),
      )
      if (read === 0) break
      filled += read
    }
    return filled
  }

  readSync(target: Uint8Array, position: number): number {
    try {
      let filled = 0
      while (filled < target.length) {
        const length = target.length - filled
        const read = fs.readSync(this.#fd, target, filled, length, position + filled)
        if (read === 0) break
        filled += read
      }
      return filled
    } catch (error) {
      throw mapped(error as NodeJS.ErrnoException, 'read', this.#path)
    }
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    let rest = buffers
    let at = position
    while (rest.length > 0) {
      const part = rest.slice(0, buffersPerWrite)
      const written = await operate<number>('write', this.#path, (done) =>
        fs.writev(this.#fd, part, at, done),
      )
      rest = unwritten(rest, written)
      at += written
    }
  }

  writeSync(buffers: readonly Uint8Array[], position: number): void {
    try {
      let rest = buffers
      let at = position
      while (rest.length > 0) {
        const written = fs.writevSync(this.#fd, rest.slice(0, buffersPerWrite), at)
        rest = unwritten(rest, written)
        at += written
      }
    } catch (error) {
      throw mapped(error as NodeJS.ErrnoException, 'write', this.#path)
    }
  }

  truncate(sizeBytes: number): Promise<void> {
    return operate('truncate', this.#path, (done) =>
      fs.ftruncate(this.#fd, sizeBytes, done as fs.NoParamCallback),
    )
  }

  datasync(): Promise<void> {
    return operate('sync', this.#path, (done) => fs.fdatasync(this.#fd, done as fs.NoParamCallback))
  }

  async sizeBytes(): Promise<number> {
    const stats = await operate<fs.Stats>('stat', this.#path, (done) => fs.fstat(this.#fd, done))
    return stats.size
  }

  close(): Promise<void> {
    return operate('close', this.#path, (done) => fs.close(this.#fd, done as fs.NoParamCallback))
  }
}

class NodeDirectFile implements DirectFile {
  readonly #fd: number
  readonly #path: string

  constructor(fd: number, path: string) {
    this.#fd = fd
    this.#path = path
  }

  async write(buffer: Uint8Array, position: number): Promise<void> {
    const written = await operate<number>('write', this.#path, (done) =>
      fs.write(this.#fd, buffer, 0, buffer.length, position, done),
    )
    // A short direct write means a full or failing disk: a rest could not be written aligned.
    if (written !== buffer.length) throw new FileSystemError('EIO', 'write', this.#path)
  }

  close(): Promise<void> {
    return operate('close', this.#path, (done) => fs.close(this.#fd, done as fs.NoParamCallback))
  }
}

/** What remains of `buffers` after `written` bytes. */
function unwritten(buffers: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skipped = written
  let index = 0
  while (index < buffers.length && skipped >= (buffers[index] as Uint8Array).length) {
    skipped -= (buffers[index] as Uint8Array).length
    index++
  }
  const rest = buffers.slice(index)
  if (skipped > 0) rest[0] = (rest[0] as Uint8Array).subarray(skipped)
  return rest
}
