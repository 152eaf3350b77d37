/**
 * Reads the chain of rounds that a crash left. The chain ends at the first round that is missing or damaged. Whether that is
 * the torn tail of a write that was never acknowledged, or the loss of a durable round, is told by a witness: a later round,
 * or the checkpoint, that says the round had been durable.
 */
import type { File, FileSystem } from '@naru/base'
import { fileName, listJournalFiles } from './journal-files.ts'
import {
  decodeRoundEntries,
  decodeRoundHeader,
  pageBytes,
  type RecoveredEntry,
  type RoundHeader,
  type RoundPlace,
  tableBytesOf,
} from './journal-round.ts'
import { join } from './paths.ts'

const windowBytes = 4 << 20

export interface ChainStart {
  readonly runId: Buffer
  readonly first: RoundPlace
  readonly durableLsn: bigint
}

export interface ChainEnd {
  /** The first LSN that could not be read. */
  readonly missingLsn: bigint
  /** The missing round had been durable: the journal is corrupt, not merely torn. */
  readonly isCorrupt: boolean
}

/** Calls `apply` for each entry in order; `apply` may keep the payload only until it returns. */
export async function readChain(
  fileSystem: FileSystem,
  directory: string,
  start: ChainStart,
  apply: (entry: RecoveredEntry, lsn: bigint) => Promise<void>,
): Promise<ChainEnd> {
  const files = new Map<number, JournalWindow>()
  try {
    for (const { number, sizeBytes } of await listJournalFiles(fileSystem, directory)) {
      const file = await fileSystem.open(join(directory, fileName(number)), 'read')
      files.set(number, new JournalWindow(file, { number, sizeBytes, runId: start.runId }))
    }
    let expected: RoundPlace = start.first
    for (;;) {
      const found = await findRound(files, expected)
      if (found === undefined) break
      for (const entry of found.entries) await apply(entry, found.header.lsn)
      const { header } = found
      expected = {
        lsn: header.lsn + 1n,
        fileNumber: header.fileNumber,
        position: header.position + header.lengthBytes,
      }
    }
    const isCorrupt = start.durableLsn >= expected.lsn || (await hasWitness(files, expected.lsn))
    return { missingLsn: expected.lsn, isCorrupt }
  } finally {
    await Promise.all([...files.values()].map((window) => window.close()))
  }
}

/** The round at the expected place, or at the start of another file: a round that did not fit went there. */
async function findRound(
  files: Map<number, JournalWindow>,
  expected: RoundPlace,
): Promise<{ header: RoundHeader; entries: RecoveredEntry[] } | undefined> {
  const here = await files.get(expected.fileNumber)?.round(expected.position, expected.lsn)
  if (here !== undefined) return here
  for (const window of files.values()) {
    const there = await window.round(0, expected.lsn)
    if (there !== undefined) return there
  }
  return undefined
}

async function hasWitness(files: Map<number, JournalWindow>, lsn: bigint): Promise<boolean> {
  for (const window of files.values()) {
    if (await window.holdsWitness(lsn)) return true
  }
  return false
}

/** A journal file seen through one buffer that moves along: recovery's memory does not grow with the journal. */
class JournalWindow {
  readonly #file: File
  readonly #of: { number: number; sizeBytes: number; runId: Buffer }
  #bytes: Buffer = Buffer.alloc(0)
  #from = 0

  constructor(file: File, of: { number: number; sizeBytes: number; runId: Buffer }) {
    this.#file = file
    this.#of = of
  }

  async round(
    position: number,
    lsn: bigint,
  ): Promise<{ header: RoundHeader; entries: RecoveredEntry[] } | undefined> {
    const header = await this.#header(position)
    if (header === undefined || header.lsn !== lsn) return undefined
    if (header.position + header.lengthBytes > this.#of.sizeBytes) return undefined
    const bytes = await this.#read(position, header.lengthBytes)
    const entries = decodeRoundEntries(bytes, header)
    return entries === undefined ? undefined : { header, entries }
  }

  async holdsWitness(lsn: bigint): Promise<boolean> {
    let position = 0
    while (position < this.#of.sizeBytes) {
      const header = await this.#header(position)
      if (header !== undefined && header.lsn > lsn && header.durableLsn >= lsn) return true
      const step = header === undefined ? pageBytes : Math.max(header.lengthBytes, pageBytes)
      position += step
    }
    return false
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  async #header(position: number): Promise<RoundHeader | undefined> {
    if (position >= this.#of.sizeBytes) return undefined
    const place = { runId: this.#of.runId, fileNumber: this.#of.number, position }
    const page = await this.#read(position, pageBytes)
    const header = decodeRoundHeader(page, 0, place)
    if (header !== undefined || page.length < pageBytes) return header
    // A table larger than a page: its checksum needs the rest. Most pages are payload, or of an earlier run, and need no look.
    const tableBytes = tableBytesOf(page, place.runId)
    if (tableBytes === undefined || tableBytes <= pageBytes) return undefined
    return decodeRoundHeader(await this.#read(position, tableBytes), 0, place)
  }

  async #read(position: number, bytes: number): Promise<Buffer> {
    const end = position + bytes
    if (position < this.#from || end > this.#from + this.#bytes.length) {
      const wanted = Math.min(Math.max(bytes, windowBytes), this.#of.sizeBytes - position)
      const buffer = Buffer.allocUnsafe(wanted)
      const read = await this.#file.read(buffer, position)
      this.#bytes = buffer.subarray(0, read)
      this.#from = position
    }
    return this.#bytes.subarray(position - this.#from, end - this.#from)
  }
}
