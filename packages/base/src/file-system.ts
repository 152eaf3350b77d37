/**
 * The port of the disk. What it promises is what POSIX promises, no more: data is durable after `datasync` or `sync` of
 * the file, a name is durable after `syncDirectory` of its parent, and writes to a direct file are durable when they
 * complete. All paths are absolute. Failures reject with a {@link FileSystemError}.
 */
export interface FileSystem {
  /**
   * `read` opens for reading only, the others for reading and writing. `read` and `update` fail when absent, `write` creates when
   * absent, `create` fails when present.
   */
  open(path: string, mode: 'read' | 'update' | 'write' | 'create'): Promise<File>
  /**
   * Opens an existing preallocated file whose writes are durable on completion (`O_DIRECT | O_DSYNC` where the file system
   * allows, else `O_DSYNC`). Positions, lengths and buffer addresses are multiples of 4096.
   */
  openDirect(path: string): Promise<DirectFile>
  /** Names only, in no particular order. */
  list(directory: string): Promise<string[]>
  /** Like `mkdir -p`. Names are durable after `syncDirectory` of each parent that changed. */
  makeDirectory(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Removes a file; absent is not an error. */
  remove(path: string): Promise<void>
  /** Removes a directory and all that is in it; absent is not an error. */
  removeDirectory(path: string): Promise<void>
  syncDirectory(path: string): Promise<void>
  /** Size in bytes and kind, or undefined when there is nothing at `path`. */
  stat(
    path: string,
  ): Promise<{ sizeBytes: number; isDirectory: boolean; modifiedMs: number } | undefined>
  /** Whole file; small files only. */
  readFile(path: string): Promise<Buffer>
  /** Free and total bytes of the disk that holds `path`. */
  diskSpace(path: string): Promise<{ totalBytes: number; usableBytes: number }>
}

export interface File {
  /** Fills `target` from `position`; returns the bytes read, fewer only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>
  /** As `read`, on the calling thread: for small reads from the page cache, where a thread-pool hop costs ten times the read. */
  readSync(target: Uint8Array, position: number): number
  /** Writes all of `buffers`, one after the other, at `position`. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>
  /** As `write`, on the calling thread: for small appends. */
  writeSync(buffers: readonly Uint8Array[], position: number): void
  truncate(sizeBytes: number): Promise<void>
  /** Makes data and size durable (`fdatasync`). */
  datasync(): Promise<void>
  sizeBytes(): Promise<number>
  close(): Promise<void>
}

export interface DirectFile {
  /** Durable when it resolves. */
  write(buffer: Uint8Array, position: number): Promise<void>
  close(): Promise<void>
}

/** Stable codes of what a disk can answer. `code` is the errno name: ENOENT, EEXIST, ENOSPC, EIO, EMFILE, EACCES, EROFS … */
export class FileSystemError extends Error {
  override readonly name = 'FileSystemError'
  readonly code: string
  readonly path: string

  constructor(code: string, operation: string, path: string, cause?: unknown) {
    super(`Cannot ${operation} ${path}: ${code}`, { cause })
    this.code = code
    this.path = path
  }
}
