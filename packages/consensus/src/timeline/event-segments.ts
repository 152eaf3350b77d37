/**
 * The event file: segments `events-INDEX`, named by the first entry that each tells of, of which the oldest goes when all of them
 * are too large or it is too old. Nothing is synced: a crash may take the end away, and a start goes on from what is whole.
 */
import type { File, FileSystem } from '@naru/base'
import { type Frame, frameAt } from './frame.ts'

export interface TimelineLimits {
  /** Of all segments together. */
  readonly bytesMax: number
  /** Events are kept this long at least, unless there are too many. */
  readonly ageMsMax: number
  /** From which on a segment is closed. */
  readonly segmentBytes: number
}

const dayMs = 86_400_000
export const defaultTimelineLimits: TimelineLimits = {
  bytesMax: 64 << 20,
  ageMsMax: 7 * dayMs,
  segmentBytes: 8 << 20,
}

/** A segment is closed when it spans this part of the longest age: old events go in such steps. */
const stepsOfAge = 7
const chunkBytes = 256 << 10

export interface EventSegment {
  readonly path: string
  readonly firstIndex: bigint
  readonly sizeBytes: number
  /** Infinite while nobody knows. */
  readonly firstMs: number
  /** Zero while nobody knows. */
  readonly lastMs: number
}

/** Frames that are written together. */
export interface FrameBatch {
  readonly frames: readonly Buffer[]
  /** Its first frame is the first of its entry: a segment may begin with it. */
  readonly isStart: boolean
  /** The last index that is told with it. */
  readonly through: bigint
  readonly firstMs: number
  readonly lastMs: number
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export class EventSegments {
  readonly #fileSystem: FileSystem
  readonly #directory: string
  readonly #limits: TimelineLimits
  /** Oldest first; the last one grows. */
  readonly #segments: Mutable<EventSegment>[] = []
  #through = 0n
  #active: File | undefined

  private constructor(fileSystem: FileSystem, directory: string, limits: TimelineLimits) {
    this.#fileSystem = fileSystem
    this.#directory = directory
    this.#limits = limits
  }

  static async open(
    fileSystem: FileSystem,
    directory: string,
    limits: TimelineLimits,
  ): Promise<EventSegments> {
    const segments = new EventSegments(fileSystem, directory, limits)
    await segments.#find()
    return segments
  }

  /** Everything up to here is told: as events, or as a gap. */
  get through(): bigint {
    return this.#through
  }

  get segments(): readonly EventSegment[] {
    return this.#segments
  }

  /** After a failure the same batch, or another one in its place, may be appended. */
  async append(batch: FrameBatch, nowMs: number): Promise<void> {
    const { frames, isStart, through, firstMs, lastMs } = batch
    const addedBytes = frames.reduce((sum, { length }) => sum + length, 0)
    if (isStart && this.#isFull(nowMs)) await this.#close()
    this.#active ??= await this.#openNewest()
    await this.#expire(addedBytes, nowMs)
    const newest = this.#segments.at(-1) as Mutable<EventSegment>
    await this.#active.write(frames, newest.sizeBytes)
    if (newest.sizeBytes === 0) newest.firstMs = firstMs
    newest.sizeBytes += addedBytes
    newest.lastMs = lastMs
    if (through > this.#through) this.#through = through
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const active = this.#active
    this.#active = undefined
    await active?.close()
  }

  #isFull(nowMs: number): boolean {
    const newest = this.#segments.at(-1)
    if (newest === undefined || newest.sizeBytes === 0) return false
    const isOld = nowMs - newest.firstMs > this.#limits.ageMsMax / stepsOfAge
    return isOld || newest.sizeBytes >= this.#limits.segmentBytes
  }

  /** The newest segment ends. The name of the next says how far it told: one that lost its end is found out by that. */
  async #close(): Promise<void> {
    await this[Symbol.asyncDispose]()
    this.#segments.push(this.#segmentFrom(this.#through + 1n))
  }

  async #openNewest(): Promise<File> {
    if (this.#segments.length === 0) {
      await this.#fileSystem.makeDirectory(this.#directory)
      this.#segments.push(this.#segmentFrom(this.#through + 1n))
    }
    return this.#fileSystem.open((this.#segments.at(-1) as EventSegment).path, 'write')
  }

  /** Makes room. Readers learn first that a segment is not there any more. */
  async #expire(addedBytes: number, nowMs: number): Promise<void> {
    const { bytesMax, ageMsMax } = this.#limits
    const isOver = () => {
      const bytes = this.#segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, addedBytes)
      return bytes > bytesMax || (this.#segments[0] as EventSegment).lastMs < nowMs - ageMsMax
    }
    while (this.#segments.length > 1 && isOver()) {
      const oldest = this.#segments.shift() as EventSegment
      try {
        await this.#fileSystem.remove(oldest.path)
      } catch (error) {
        this.#segments.unshift(oldest)
        throw error
      }
    }
  }

  #segmentFrom(firstIndex: bigint): EventSegment {
    const path = `${this.#directory}/events-${String(firstIndex).padStart(20, '0')}`
    return { path, firstIndex, sizeBytes: 0, firstMs: Number.POSITIVE_INFINITY, lastMs: 0 }
  }

  async #find(): Promise<void> {
    const isThere = (await this.#fileSystem.stat(this.#directory)) !== undefined
    const names = isThere ? await this.#fileSystem.list(this.#directory) : []
    const indexes = names.flatMap((name) => {
      const match = /^events-(\d{20})$/.exec(name)
      return match === null ? [] : [BigInt(match[1] as string)]
    })
    for (const index of indexes.sort((a, b) => (a < b ? -1 : 1))) {
      this.#segments.push(this.#segmentFrom(index))
    }
    for (const segment of this.#segments) await this.#measure(segment)
  }

  /** Sets what is known of a segment; what follows the last whole entry of the newest is taken away. */
  async #measure(segment: Mutable<EventSegment>): Promise<void> {
    const isNewest = segment === this.#segments.at(-1)
    const file = await this.#fileSystem.open(segment.path, 'update')
    try {
      const foundBytes = await file.sizeBytes()
      segment.sizeBytes = isNewest ? await this.#scan(file, foundBytes, segment) : foundBytes
      const [first] = await framesAt(file, 0, segment.sizeBytes)
      segment.firstMs = first?.timeMs ?? segment.firstMs
      if (!isNewest) segment.lastMs = first?.timeMs ?? 0
      else if (segment.sizeBytes < foundBytes) await file.truncate(segment.sizeBytes)
      const before = this.#segments[this.#segments.indexOf(segment) - 1]
      if (before !== undefined) before.lastMs = first?.timeMs ?? before.lastMs
    } finally {
      await file.close()
    }
  }

  /** Where the last whole entry ends. */
  async #scan(file: File, endBytes: number, segment: Mutable<EventSegment>): Promise<number> {
    this.#through = segment.firstIndex - 1n
    let wholeBytes = 0
    for (let position = 0; position < endBytes; ) {
      const frames = await framesAt(file, position, endBytes)
      if (frames.length === 0) break
      for (const { sizeBytes, isLast, index, timeMs } of frames) {
        position += sizeBytes
        if (!isLast) continue
        wholeBytes = position
        segment.lastMs = timeMs
        if (index > this.#through) this.#through = index
      }
    }
    return wholeBytes
  }
}

/** The whole frames in a piece of a segment; none when there is no whole one at `position`. */
export async function framesAt(file: File, position: number, endBytes: number): Promise<Frame[]> {
  for (let wanted = chunkBytes; ; ) {
    const bytes = Buffer.allocUnsafe(Math.min(wanted, endBytes - position))
    const read = bytes.subarray(0, await file.read(bytes, position))
    const frames: Frame[] = []
    for (let at = 0; ; ) {
      const found = frameAt(read, at)
      if (typeof found !== 'object') {
        const isLarger = frames.length === 0 && typeof found === 'number' && found > wanted
        if (!isLarger || read.length < wanted) return frames
        wanted = found
        break
      }
      frames.push(found)
      at += found.sizeBytes
    }
  }
}
