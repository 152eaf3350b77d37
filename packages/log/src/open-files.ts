import type { File, FileSystem } from '@naru/base'

/** A pinned open file: the pool does not close it before `release`. */
export interface Lease {
  readonly file: File
  release(): void
}

class PooledFile implements Lease {
  readonly path: string
  readonly file: File
  pins = 1
  #isForgotten = false

  constructor(path: string, file: File) {
    this.path = path
    this.file = file
  }

  release(): void {
    this.pins--
    // Nobody waits for this, and what was written is not less written when it fails.
    if (this.#isForgotten && this.pins === 0) this.file.close().catch(() => {})
  }

  /** Closes the file as soon as nobody uses it. */
  async forget(): Promise<void> {
    this.#isForgotten = true
    if (this.pins === 0) await this.file.close()
  }
}

interface Opening {
  readonly pooled: Promise<PooledFile>
  isForgotten: boolean
}

/**
 * Open files of all partitions, least recently used first out. A process may hold 20,000 descriptors at most, a broker
 * more segments than that (`naru.log.max.open.files`). Pinned files are never closed, so the limit may be passed by what is in use.
 */
export class OpenFiles {
  readonly #fileSystem: FileSystem
  readonly #limit: number
  readonly #files = new Map<string, PooledFile>()
  readonly #opening = new Map<string, Opening>()

  constructor(fileSystem: FileSystem, limit: number) {
    this.#fileSystem = fileSystem
    this.#limit = limit
  }

  /** The file when it is open already: no promise on the hot path. */
  lease(path: string): Lease | undefined {
    const pooled = this.#files.get(path)
    if (pooled === undefined) return undefined
    this.#files.delete(path)
    this.#files.set(path, pooled)
    pooled.pins++
    return pooled
  }

  /** Opens for reading and writing; `create` makes an absent file, otherwise absence is an error. */
  async open(path: string, { create }: { create: boolean }): Promise<Lease> {
    const present = this.lease(path)
    if (present !== undefined) return present
    const underWay = this.#opening.get(path)
    if (underWay !== undefined) {
      const pooled = await underWay.pooled
      pooled.pins++
      return pooled
    }
    const opening: Opening = {
      pooled: this.#open(path, create, () => opening.isForgotten),
      isForgotten: false,
    }
    this.#opening.set(path, opening)
    try {
      return await opening.pooled
    } finally {
      if (this.#opening.get(path) === opening) this.#opening.delete(path)
    }
  }

  /**
   * Forgets the files of paths that begin with `prefix`, those that are just being opened too: the same path may soon be another
   * file. Each is closed when it is no longer in use.
   */
  async forget(prefix: string): Promise<void> {
    for (const [path, opening] of this.#opening) {
      if (!path.startsWith(prefix)) continue
      this.#opening.delete(path)
      opening.isForgotten = true
    }
    const closing: Promise<void>[] = []
    for (const [path, pooled] of this.#files) {
      if (!path.startsWith(prefix)) continue
      this.#files.delete(path)
      closing.push(pooled.forget())
    }
    await Promise.all(closing)
  }

  async closeAll(): Promise<void> {
    const all = [...this.#files.values()]
    this.#files.clear()
    await Promise.all(all.map((pooled) => pooled.file.close()))
  }

  async #open(path: string, create: boolean, isForgotten: () => boolean): Promise<PooledFile> {
    const file = await this.#fileSystem.open(path, create ? 'write' : 'update')
    const pooled = new PooledFile(path, file)
    if (isForgotten()) {
      await pooled.forget()
      return pooled
    }
    this.#files.set(path, pooled)
    await this.#evict()
    return pooled
  }

  async #evict(): Promise<void> {
    if (this.#files.size <= this.#limit) return
    for (const [path, pooled] of this.#files) {
      if (pooled.pins > 0) continue
      this.#files.delete(path)
      await pooled.file.close()
      if (this.#files.size <= this.#limit) return
    }
  }
}
