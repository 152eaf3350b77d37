/**
 * One round of the journal: what all partitions of a log directory appended in one turn, made durable by one write.
 * Little-endian, padded to 4 KiB: a header of 56 bytes, a table of 72 bytes an entry, then the payloads, which are record
 * batches with checksums of their own. The checksum covers header and table.
 */
import { assert, crc32c } from '@naru/base'
import {
  baseOffsetAt,
  batchHeaderBytes,
  batchSizeAt,
  isCrcValid,
  lastOffsetAt,
  leaderEpochAt,
  magicAt,
} from '@naru/records'

export const pageBytes = 4096
const magic = 0x4e524a31
const version = 1
const headerBytes = 56
const entryBytes = 72
const crcAt = 52
const entryTypes = { append: 1, truncate: 2 } as const

/** Most entries of a round: bounds its table to 600 KB. */
export const roundEntriesLimit = 8192

/**
 * Contiguous batches of one log that go to one place in one segment, or the place where a log ends from now on: then nothing has
 * a length, and base and next offset are that end.
 */
export interface JournalEntry {
  readonly kind: 'append' | 'truncate'
  /** 16 bytes. */
  readonly logId: Buffer
  readonly baseOffset: bigint
  readonly nextOffset: bigint
  readonly segmentBaseOffset: bigint
  readonly position: number
  readonly lengthBytes: number
  readonly leaderEpoch: number
}

export interface RoundPlace {
  readonly lsn: bigint
  readonly fileNumber: number
  /** Byte position in the journal file: a multiple of 4 KiB. */
  readonly position: number
}

export interface RoundHeader extends RoundPlace {
  readonly runId: Buffer
  /** All rounds up to it were durable when this one was written: the witness. */
  readonly durableLsn: bigint
  readonly lengthBytes: number
  readonly entryCount: number
}

export interface PlannedEntry extends JournalEntry {
  readonly buffers: readonly Buffer[]
}

export interface RecoveredEntry extends JournalEntry {
  readonly payload: Buffer
}

/** Bytes that a round of these entries takes in the journal file. */
export function roundSize(entries: readonly JournalEntry[]): number {
  let bytes = headerBytes + entries.length * entryBytes
  for (const entry of entries) bytes += entry.lengthBytes
  return Math.ceil(bytes / pageBytes) * pageBytes
}

/** Writes the round to the start of `target`, which holds at least `header.lengthBytes`. */
export function encodeRound(
  target: Buffer,
  header: Omit<RoundHeader, 'entryCount'>,
  entries: readonly PlannedEntry[],
): void {
  assert(target.length >= header.lengthBytes, 'Journal buffer is smaller than the round')
  writeHeader(target, header, entries.length)
  let payloadAt = headerBytes + entries.length * entryBytes
  let at = headerBytes
  for (const entry of entries) {
    writeEntry(target, at, entry, payloadAt)
    at += entryBytes
    for (const buffer of entry.buffers) {
      target.set(buffer, payloadAt)
      payloadAt += buffer.length
    }
  }
  target.fill(0, payloadAt, header.lengthBytes)
  target.writeUInt32LE(tableChecksum(target, entries.length), crcAt)
}

/** Bytes of header and table, when the page begins like a round of this run. */
export function tableBytesOf(page: Buffer, runId: Buffer): number | undefined {
  if (page.readUInt32LE(0) !== magic || !runId.equals(page.subarray(8, 24))) return undefined
  return headerBytes + Math.min(page.readUInt16LE(6), roundEntriesLimit) * entryBytes
}

/** The header at `at` when it is one, undamaged and of this place; payloads are not looked at. */
export function decodeRoundHeader(
  bytes: Buffer,
  at: number,
  place: { runId: Buffer; fileNumber: number; position: number },
): RoundHeader | undefined {
  if (bytes.length - at < headerBytes || bytes.readUInt32LE(at) !== magic) return undefined
  const entryCount = bytes.readUInt16LE(at + 6)
  const round = bytes.subarray(at)
  if (round.readUInt16LE(4) !== version || entryCount > roundEntriesLimit) return undefined
  if (round.length < headerBytes + entryCount * entryBytes) return undefined
  if (tableChecksum(round, entryCount) !== round.readUInt32LE(crcAt)) return undefined
  const runId = round.subarray(8, 24)
  const fileNumber = round.readUInt32LE(44)
  const position = round.readUInt32LE(48) * pageBytes
  if (!runId.equals(place.runId)) return undefined
  if (fileNumber !== place.fileNumber || position !== place.position) return undefined
  return {
    runId,
    entryCount,
    lsn: round.readBigUInt64LE(24),
    durableLsn: round.readBigUInt64LE(32),
    lengthBytes: round.readUInt32LE(40),
    fileNumber,
    position,
  }
}

/** The entries of a whole round whose header is `header`, or undefined when a payload is torn: not one of them counts then. */
export function decodeRoundEntries(
  round: Buffer,
  header: RoundHeader,
): RecoveredEntry[] | undefined {
  if (round.length < header.lengthBytes) return undefined
  const entries: RecoveredEntry[] = []
  for (let i = 0; i < header.entryCount; i++) {
    const entry = readEntry(round, headerBytes + i * entryBytes)
    if (entry === undefined || !isWhole(entry)) return undefined
    entries.push(entry)
  }
  return entries
}

function writeHeader(
  target: Buffer,
  header: Omit<RoundHeader, 'entryCount'>,
  entryCount: number,
): void {
  target.writeUInt32LE(magic, 0)
  target.writeUInt16LE(version, 4)
  target.writeUInt16LE(entryCount, 6)
  target.set(header.runId, 8)
  target.writeBigUInt64LE(header.lsn, 24)
  target.writeBigUInt64LE(header.durableLsn, 32)
  target.writeUInt32LE(header.lengthBytes, 40)
  target.writeUInt32LE(header.fileNumber, 44)
  target.writeUInt32LE(header.position / pageBytes, 48)
}

function writeEntry(target: Buffer, at: number, entry: JournalEntry, payloadAt: number): void {
  target.writeUInt32LE(entryTypes[entry.kind], at)
  target.set(entry.logId, at + 4)
  target.writeBigInt64LE(entry.baseOffset, at + 20)
  target.writeBigInt64LE(entry.nextOffset, at + 28)
  target.writeBigInt64LE(entry.segmentBaseOffset, at + 36)
  target.writeUInt32LE(entry.position, at + 44)
  target.writeUInt32LE(entry.lengthBytes, at + 48)
  target.writeInt32LE(entry.leaderEpoch, at + 52)
  target.writeUInt32LE(payloadAt, at + 56)
  target.fill(0, at + 60, at + entryBytes)
}

function readEntry(round: Buffer, at: number): RecoveredEntry | undefined {
  const type = round.readUInt32LE(at)
  const lengthBytes = round.readUInt32LE(at + 48)
  const payloadAt = round.readUInt32LE(at + 56)
  const isKnown = type === entryTypes.append || type === entryTypes.truncate
  if (!isKnown || payloadAt + lengthBytes > round.length) return undefined
  return {
    kind: type === entryTypes.append ? 'append' : 'truncate',
    logId: Buffer.from(round.subarray(at + 4, at + 20)),
    baseOffset: round.readBigInt64LE(at + 20),
    nextOffset: round.readBigInt64LE(at + 28),
    segmentBaseOffset: round.readBigInt64LE(at + 36),
    position: round.readUInt32LE(at + 44),
    lengthBytes,
    leaderEpoch: round.readInt32LE(at + 52),
    payload: round.subarray(payloadAt, payloadAt + lengthBytes),
  }
}

/** Whether the payload is just the contiguous, undamaged batches that the entry promises; a truncation has none. */
function isWhole(entry: RecoveredEntry): boolean {
  const { payload, baseOffset, nextOffset, leaderEpoch } = entry
  let at = 0
  let expected = baseOffset
  while (at < payload.length) {
    if (payload.length - at < batchHeaderBytes) return false
    const size = batchSizeAt(payload, at)
    if (size < batchHeaderBytes || at + size > payload.length) return false
    // The batch's own checksum covers neither of these.
    const isOfEntry =
      magicAt(payload, at) === 2 &&
      baseOffsetAt(payload, at) === expected &&
      leaderEpochAt(payload, at) === leaderEpoch
    if (!isOfEntry || !isCrcValid(payload, at, size)) return false
    expected = lastOffsetAt(payload, at) + 1n
    at += size
  }
  return expected === nextOffset
}

function tableChecksum(round: Buffer, entryCount: number): number {
  const beforeCrc = crc32c(round.subarray(0, crcAt))
  return crc32c(round.subarray(headerBytes, headerBytes + entryCount * entryBytes), beforeCrc)
}
