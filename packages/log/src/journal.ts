/**
 * The writer of the journal of one log directory: rounds in a chain of consecutive LSNs, at most two in flight. It knows
 * nothing of segments: what may be forgotten is told to it by `release`.
 */
import { assert } from '@naru/base'
import type { JournalFile, JournalFiles } from './journal-files.ts'
import { encodeRound, type PlannedEntry, type RoundPlace, roundSize } from './journal-round.ts'

export const roundsInFlightLimit = 2
const wasmPageBytes = 65_536

/** Node has it; its types come only with those of the browser. */
declare const WebAssembly: { Memory: new (size: { initial: number }) => { buffer: ArrayBuffer } }

export interface JournalOptions {
  readonly files: JournalFiles
  /** New at each start: nothing that an earlier run left in a reused file can pass for this run's. */
  readonly runId: Buffer
  readonly fileBytesMax: number
  readonly fileCountMax: number
}

export class Journal {
  readonly #options: JournalOptions
  readonly #buffers: Buffer[] = []
  /** Rounds that a start would have to read, oldest first. */
  #rounds: RoundPlace[] = []
  #current: { file: JournalFile; position: number } | undefined
  /** Files that hold rounds still needed, oldest first, without the current one. */
  #used: JournalFile[] = []
  #nextLsn = 1n
  #durableLsn = 0n
  readonly #completed = new Set<bigint>()
  #writtenBytes = 0
  #growing: Promise<void> | undefined
  #growthError: unknown
  /** Set by the owner: a file is free again, or a larger one has been made. */
  onRoom: (() => void) | undefined

  constructor(options: JournalOptions) {
    this.#options = options
    for (let i = 0; i < roundsInFlightLimit; i++) this.#buffers.push(alignedBuffer(1 << 20))
  }

  get runId(): Buffer {
    return this.#options.runId
  }

  get nextLsn(): bigint {
    return this.#nextLsn
  }

  /** All rounds up to it are on the disk. */
  get durableLsn(): bigint {
    return this.#durableLsn
  }

  /** Bytes of all rounds since the start. */
  get writtenBytes(): number {
    return this.#writtenBytes
  }

  /** Where reading must begin when everything below `lsn` is covered by segments: for the checkpoint. */
  placeOf(lsn: bigint): RoundPlace {
    const first = this.#rounds[0]
    if (lsn < this.#nextLsn) {
      assert(first !== undefined && lsn >= first.lsn, `Round ${lsn} was released already`)
      return this.#rounds[Number(lsn - first.lsn)] as RoundPlace
    }
    const current = this.#current
    return {
      lsn: this.#nextLsn,
      fileNumber: current?.file.number ?? 0,
      position: current?.position ?? 0,
    }
  }

  /** Whether a round of these entries can be written now. When not, `onRoom` is called once that may have changed. Throws when it never will. */
  hasRoom(entries: readonly PlannedEntry[]): boolean {
    if (this.#growthError !== undefined) throw this.#growthError
    const bytes = roundSize(entries)
    if (this.#place(bytes) !== undefined) return true
    this.#growWithin(bytes)
    return false
  }

  /** Writes one round; resolves when it is durable. Rounds may complete out of order: `durableLsn` never does. */
  async write(entries: readonly PlannedEntry[]): Promise<bigint> {
    const lengthBytes = roundSize(entries)
    const at = this.#place(lengthBytes)
    assert(at !== undefined, 'Journal has no room: ask hasRoom first')
    const buffer = this.#takeBuffer(lengthBytes)
    const place = { lsn: this.#nextLsn++, fileNumber: at.file.number, position: at.position }
    encodeRound(
      buffer,
      { ...place, runId: this.runId, durableLsn: this.#durableLsn, lengthBytes },
      entries,
    )
    this.#rounds.push(place)
    at.position += lengthBytes
    this.#writtenBytes += lengthBytes
    await at.file.file.write(buffer.subarray(0, lengthBytes), place.position)
    this.#buffers.push(buffer)
    this.#complete(place.lsn)
    return place.lsn
  }

  /** Frees the files whose rounds are all below `place`: only after the checkpoint that says so is durable. */
  release(place: RoundPlace): void {
    const before = this.#rounds.length
    const keep = this.#rounds.findIndex((round) => round.lsn >= place.lsn)
    this.#rounds = keep < 0 ? [] : this.#rounds.slice(keep)
    const free = this.#used.filter(
      (file) => !this.#rounds.some((round) => round.fileNumber === file.number),
    )
    for (const file of free) this.#options.files.release(file)
    this.#used = this.#used.filter((file) => !free.includes(file))
    if (this.#rounds.length < before) this.onRoom?.()
  }

  async close(): Promise<void> {
    await this.#growing
    await this.#options.files.close()
  }

  #complete(lsn: bigint): void {
    this.#completed.add(lsn)
    while (this.#completed.delete(this.#durableLsn + 1n)) this.#durableLsn++
  }

  #place(bytes: number): { file: JournalFile; position: number } | undefined {
    const current = this.#current
    if (current !== undefined && current.position + bytes <= current.file.sizeBytes) return current
    const file = this.#options.files.take(bytes)
    if (file === undefined) return this.#rewound(bytes)
    if (current !== undefined) this.#used.push(current.file)
    this.#current = { file, position: 0 }
    if (this.#options.files.freeCount === 0) this.#growWithin(0)
    return this.#current
  }

  /** The current file from its beginning, when it is large enough and holds nothing that is still needed. */
  #rewound(bytes: number): { file: JournalFile; position: number } | undefined {
    const current = this.#current
    if (current === undefined || bytes > current.file.sizeBytes) return undefined
    if (this.#rounds.some((round) => round.fileNumber === current.file.number)) return undefined
    current.position = 0
    return current
  }

  /** Grows in the background when the last free file was taken, and for a round larger than any file. */
  #growWithin(neededBytes: number): void {
    const { files, fileBytesMax, fileCountMax } = this.#options
    const tooSmall = neededBytes > files.largestBytes
    if (this.#growing !== undefined) return
    if (!tooSmall && files.count >= fileCountMax) return
    const bytes = Math.max(Math.min(files.largestBytes * 2, fileBytesMax), neededBytes)
    this.#growing = files.grow(bytes).then(
      () => {
        this.#growing = undefined
        this.onRoom?.()
      },
      (error: unknown) => {
        this.#growing = undefined
        // A full disk: the journal stays as large as it is, and produce waits for a file to be freed. A round that fits into
        // none of them has nothing to wait for.
        if (!tooSmall) return
        this.#growthError = error
        this.onRoom?.()
      },
    )
  }

  #takeBuffer(bytes: number): Buffer {
    const buffer = this.#buffers.pop()
    assert(buffer !== undefined, `More than ${roundsInFlightLimit} rounds in flight`)
    return buffer.length >= bytes ? buffer : alignedBuffer(bytes)
  }
}

/** Page-aligned memory, which direct writes need and `Buffer.alloc` does not promise. */
function alignedBuffer(bytes: number): Buffer {
  const pages = Math.ceil(bytes / wasmPageBytes)
  return Buffer.from(new WebAssembly.Memory({ initial: pages }).buffer)
}
