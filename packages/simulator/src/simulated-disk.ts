/**
 * The disk port on memory, with what a real disk may do: unsynced data and names vanish at a power loss, whole or by sector;
 * operations take time and end in any order; a fault can be put into any of them.
 */
import { type DirectFile, type File, type FileSystem, FileSystemError } from '@naru/base'
import type { SeededRandom } from './seeded-random.ts'
import type { SimulatedClock } from './simulated-clock.ts'
import { SimulatedDirectory, type SimulatedNode } from './simulated-directory.ts'
import { SimulatedFile } from './simulated-file.ts'

/** Gives an errno name to make an operation fail. */
export type Fault = (operation: string, path: string) => string | undefined
/** Gives the milliseconds that an operation takes longer. */
export type Delay = (operation: string, path: string) => number

/** Operations take time of the process that uses the disk; `clear` is called when that one is dead. */
export type DiskClock = Pick<SimulatedClock, 'setTimer' | 'clear'>

const rememberedWrites = 4

export class SimulatedDisk implements FileSystem {
  readonly #clock: DiskClock
  readonly #random: SeededRandom
  readonly #root = new SimulatedDirectory()
  /** Operations of an earlier process never end. */
  #process = 0
  readonly #directWrites = new Set<{ file: SimulatedFile; position: number; bytes: Buffer }>()
  fault: Fault = () => undefined
  /** The operations of this process that a fault has hit. */
  failures: string[] = []
  delay: Delay = () => 0
  /** Told of each operation that was done. */
  watch: (operation: string, path: string) => void = () => {}
  /** The newest direct writes, the last one last. */
  readonly newestWrites: { path: string; position: number; lengthBytes: number }[] = []

  constructor(clock: DiskClock, random: SeededRandom) {
    this.#clock = clock
    this.#random = random
  }

  /** The process dies; what it wrote stays in the page cache. */
  crash(): void {
    // The kernel ends the direct writes that it was given; others were still waiting for a thread.
    for (const { file, position, bytes } of this.#directWrites) {
      if (this.#random.chance(0.5)) file.writeDurably(position, bytes)
    }
    this.#end()
  }

  losePower(): void {
    for (const { file, position, bytes } of this.#directWrites) {
      file.tear(position, bytes, this.#random)
    }
    this.#end()
    this.#root.losePower(this.#random)
  }

  /** The file at a path, to look at or to damage; undefined when there is none. */
  file(path: string): SimulatedFile | undefined {
    const node = this.#find(path)
    return node?.kind === 'file' ? node : undefined
  }

  /** Damage on the disk itself: what lies at a path is gone. */
  lose(path: string): void {
    const parent = this.#parent(path)
    parent.change((names) => names.delete(nameOf(path)))
    parent.sync()
  }

  /** The paths of all files. */
  paths(): string[] {
    const found: string[] = []
    const visit = (path: string, directory: SimulatedDirectory) => {
      for (const [name, node] of directory.names) {
        if (node.kind === 'file') found.push(`${path}/${name}`)
        else visit(`${path}/${name}`, node)
      }
    }
    visit('', this.#root)
    return found
  }

  async open(path: string, mode: 'read' | 'update' | 'write' | 'create'): Promise<File> {
    const handle = await this.#operate('open', path, () => {
      const present = this.#find(path)
      const isNeeded = mode === 'read' || mode === 'update'
      if (present === undefined && isNeeded) throw failure('ENOENT', 'open', path)
      if (present !== undefined && mode === 'create') throw failure('EEXIST', 'open', path)
      if (present?.kind === 'directory') throw failure('EISDIR', 'open', path)
      const file = present ?? new SimulatedFile()
      if (present === undefined) this.#parent(path).change((names) => names.set(nameOf(path), file))
      return this.#handle(path, file)
    })
    // Others may rename or remove it before the process hears of it.
    await this.#operate('opened', path, () => {})
    return handle
  }

  openDirect(path: string): Promise<DirectFile> {
    return this.#operate('open', path, () => {
      const file = this.#existing(path)
      return {
        write: (buffer, position) => this.#writeDirect(path, file, { buffer, position }),
        close: async () => {},
      }
    })
  }

  list(directory: string): Promise<string[]> {
    return this.#operate('list', directory, () => [...this.#directory(directory).names.keys()])
  }

  makeDirectory(path: string): Promise<void> {
    return this.#operate('make directory', path, () => {
      let directory = this.#root
      for (const name of path.split('/').filter((part) => part !== '')) {
        const made = new SimulatedDirectory()
        if (!directory.names.has(name)) directory.change((names) => names.set(name, made))
        directory = directory.names.get(name) as SimulatedDirectory
      }
    })
  }

  rename(from: string, to: string): Promise<void> {
    return this.#operate('rename', from, () => {
      const node = this.#find(from)
      if (node === undefined) throw failure('ENOENT', 'rename', from)
      // Both names change together, or neither: the directories of the port are the same one.
      this.#parent(from).change((names) => {
        names.delete(nameOf(from))
        names.set(nameOf(to), node)
      })
    })
  }

  remove(path: string): Promise<void> {
    return this.#operate('remove', path, () => {
      if (this.#find(path) === undefined) return
      this.#parent(path).change((names) => names.delete(nameOf(path)))
    })
  }

  removeDirectory(path: string): Promise<void> {
    return this.remove(path)
  }

  syncDirectory(path: string): Promise<void> {
    return this.#operate('sync', path, () => this.#directory(path).sync())
  }

  stat(path: string): ReturnType<FileSystem['stat']> {
    return this.#operate('stat', path, () => {
      const node = this.#find(path)
      if (node === undefined) return undefined
      const isDirectory = node.kind === 'directory'
      const sizeBytes = node.kind === 'file' ? node.sizeBytes : 0
      return { sizeBytes, isDirectory, modifiedMs: 0 }
    })
  }

  readFile(path: string): Promise<Buffer> {
    return this.#operate('read', path, () => Buffer.from(this.#existing(path).cached))
  }

  diskSpace(): Promise<{ totalBytes: number; usableBytes: number }> {
    return Promise.resolve({ totalBytes: 2 ** 40, usableBytes: 2 ** 39 })
  }

  #end(): void {
    this.#process++
    this.#directWrites.clear()
    this.#clock.clear()
    this.failures = []
  }

  #handle(path: string, file: SimulatedFile): File {
    const readSync = (target: Uint8Array, position: number) => file.read(target, position)
    const writeSync = (buffers: readonly Uint8Array[], position: number) => {
      this.#check('write', path)
      file.write(position, Buffer.concat(buffers))
    }
    return {
      readSync,
      writeSync,
      read: (target, position) => this.#operate('read', path, () => readSync(target, position)),
      write: (buffers, position) => {
        return this.#operate('write', path, () => file.write(position, Buffer.concat(buffers)))
      },
      truncate: (size) => this.#operate('truncate', path, () => file.truncate(size)),
      datasync: () =>
        this.#operate(
          'sync',
          path,
          () => file.sync(),
          () => file.failSync(this.#random),
        ),
      sizeBytes: () => this.#operate('stat', path, () => file.sizeBytes),
      close: async () => {},
    }
  }

  async #writeDirect(
    path: string,
    file: SimulatedFile,
    { buffer, position }: { buffer: Uint8Array; position: number },
  ): Promise<void> {
    const write = { file, position, bytes: Buffer.from(buffer) }
    this.#directWrites.add(write)
    this.newestWrites.push({ path, position, lengthBytes: buffer.length })
    if (this.newestWrites.length > rememberedWrites) this.newestWrites.shift()
    await this.#operate('write', path, () => {
      this.#directWrites.delete(write)
      file.writeDurably(position, write.bytes)
    })
  }

  /** Runs `effect`, or `failed` when there is a fault, after a while, unless the process is dead by then. */
  #operate<T>(
    operation: string,
    path: string,
    effect: () => T,
    failed: () => void = () => {},
  ): Promise<T> {
    const process = this.#process
    return new Promise((resolve, reject) => {
      this.#clock.setTimer(this.#latencyMs() + this.delay(operation, path), () => {
        if (process !== this.#process) return
        try {
          this.#check(operation, path)
        } catch (error) {
          failed()
          reject(error)
          return
        }
        try {
          resolve(effect())
          this.watch(operation, path)
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  /** Most operations are quick; a few are so slow that many others, or all, pass them. */
  #latencyMs(): number {
    const isSlow = this.#random.chance(0.03)
    const mostMs = isSlow ? this.#random.pick([20, 20, 20, 200]) : 1
    return (this.#random.below(100) / 100) * mostMs
  }

  #check(operation: string, path: string): void {
    const code = this.fault(operation, path)
    if (code === undefined) return
    this.failures.push(`${code} on ${operation} of ${path}`)
    throw failure(code, operation, path)
  }

  #find(path: string): SimulatedNode | undefined {
    let node: SimulatedNode | undefined = this.#root
    for (const name of path.split('/').filter((part) => part !== '')) {
      if (node?.kind !== 'directory') return undefined
      node = node.names.get(name)
    }
    return node
  }

  #existing(path: string): SimulatedFile {
    const file = this.file(path)
    if (file === undefined) throw failure('ENOENT', 'open', path)
    return file
  }

  #directory(path: string): SimulatedDirectory {
    const node = this.#find(path)
    if (node?.kind !== 'directory') throw failure('ENOENT', 'open', path)
    return node
  }

  #parent(path: string): SimulatedDirectory {
    return this.#directory(path.slice(0, path.lastIndexOf('/')))
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function failure(code: string, operation: string, path: string): FileSystemError {
  return new FileSystemError(code, operation, path)
}
