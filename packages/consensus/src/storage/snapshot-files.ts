/**
 * Snapshots as files, `snapshot-INDEX-TERM`: a header of JSON with the voters, the size and the CRC-32C of the state, then the state.
 * Written aside, synced, renamed, and the directory synced, so a file with that name is whole. The two newest are kept: one may be
 * on its way to another replica.
 */
import { crc32c, type FileSystem } from '@naru/base'
import { replaceFile } from '@naru/log'
import type { Snapshot } from '@naru/raft'

const kept = 2
const receivedName = 'snapshot.received'

interface Header {
  readonly voters: readonly string[]
  readonly sizeBytes: number
  readonly crc: number
}

export class SnapshotFiles {
  readonly #fileSystem: FileSystem
  readonly #directory: string
  /** Newest first. */
  #snapshots: Snapshot[] = []

  private constructor(fileSystem: FileSystem, directory: string) {
    this.#fileSystem = fileSystem
    this.#directory = directory
  }

  /** Finds the snapshots that are whole; others are removed. */
  static async open(fileSystem: FileSystem, directory: string): Promise<SnapshotFiles> {
    const files = new SnapshotFiles(fileSystem, directory)
    await fileSystem.makeDirectory(directory)
    for (const name of await fileSystem.list(directory)) {
      const match = /^snapshot-(\d+)-(\d+)$/.exec(name)
      const content =
        match === null ? undefined : decode(await fileSystem.readFile(`${directory}/${name}`))
      if (match === null || content === undefined) {
        await fileSystem.remove(`${directory}/${name}`)
        continue
      }
      const [index, term] = [BigInt(match[1] as string), BigInt(match[2] as string)]
      files.#snapshots.push({ index, term, voters: content.header.voters })
    }
    files.#snapshots.sort((a, b) => (a.index > b.index ? -1 : 1))
    return files
  }

  get newest(): Snapshot | undefined {
    return this.#snapshots[0]
  }

  async save(snapshot: Snapshot, data: Buffer): Promise<void> {
    const { voters } = snapshot
    const header = JSON.stringify({ voters, sizeBytes: data.length, crc: crc32c(data) })
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.byteLength(header))
    const path = this.#pathOf(snapshot)
    await replaceFile(this.#fileSystem, path, Buffer.concat([length, Buffer.from(header), data]))
    this.#snapshots = [snapshot, ...this.#snapshots.filter(({ index }) => index !== snapshot.index)]
    for (const old of this.#snapshots.splice(kept)) await this.#fileSystem.remove(this.#pathOf(old))
  }

  /** The state in a snapshot; undefined when it is not there or damaged. */
  async load(index: bigint): Promise<Buffer | undefined> {
    const snapshot = this.#snapshots.find((each) => each.index === index)
    if (snapshot === undefined) return undefined
    return decode(await this.#fileSystem.readFile(this.#pathOf(snapshot)))?.data
  }

  /** Bytes of the file as it is sent to others. */
  async read(
    index: bigint,
    offset: number,
    bytesMax: number,
  ): Promise<{ data: Buffer; isLast: boolean } | undefined> {
    const snapshot = this.#snapshots.find((each) => each.index === index)
    if (snapshot === undefined) return undefined
    const file = await this.#fileSystem.open(this.#pathOf(snapshot), 'read')
    try {
      const size = await file.sizeBytes()
      const data = Buffer.allocUnsafe(Math.max(0, Math.min(bytesMax, size - offset)))
      await file.read(data, offset)
      return { data, isLast: offset + data.length >= size }
    } finally {
      await file.close()
    }
  }

  /** Adds a piece of a file that another replica sends. */
  async receive(offset: number, data: Buffer): Promise<void> {
    const path = `${this.#directory}/${receivedName}`
    if (offset === 0) await this.#fileSystem.remove(path)
    const file = await this.#fileSystem.open(path, 'write')
    try {
      await file.write([data], offset)
    } finally {
      await file.close()
    }
  }

  /** Puts the received file in place when it is whole, and gives its state. */
  async finishReceived(snapshot: Snapshot): Promise<Buffer | undefined> {
    const path = `${this.#directory}/${receivedName}`
    const content = decode(await this.#fileSystem.readFile(path))
    await this.#fileSystem.remove(path)
    if (content === undefined) return undefined
    await this.save(snapshot, content.data)
    return content.data
  }

  #pathOf({ index, term }: Snapshot): string {
    return `${this.#directory}/snapshot-${index}-${term}`
  }
}

function decode(bytes: Buffer): { header: Header; data: Buffer } | undefined {
  if (bytes.length < 4 || bytes.length < 4 + bytes.readUInt32BE(0)) return undefined
  const start = 4 + bytes.readUInt32BE(0)
  try {
    const header = JSON.parse(bytes.subarray(4, start).toString()) as Header
    const data = bytes.subarray(start)
    const isWhole = data.length === header.sizeBytes && crc32c(data) === header.crc
    return isWhole ? { header, data } : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
