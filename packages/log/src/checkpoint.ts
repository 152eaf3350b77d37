/**
 * The checkpoint of a log directory: where its journal must be read from, and up to where each log's segments are known to be
 * on the disk. Replaced atomically; guarded by a CRC-32C at its end.
 */
import { ByteReader, ByteWriter, crc32c, DecodeError } from '@naru/base'
import type { RoundPlace } from './journal-round.ts'

export const checkpointName = 'naru-checkpoint'
const magic = 0x4e434b31

export type FlushMode = 'ack' | 'async' | 'never'
const flushModes: readonly FlushMode[] = ['ack', 'async', 'never']

/** The end of what is on the disk, and where that is. */
export interface LogEnd {
  readonly endOffset: bigint
  readonly segmentBaseOffset: bigint
  readonly position: number
}

export interface LogCheckpoint extends LogEnd {
  /** 16 bytes. */
  readonly logId: Buffer
  /** Journal entries of this log up to it are in the segments, durably. */
  readonly coveredLsn: bigint
  readonly logStartOffset: bigint
  readonly flushMode: FlushMode
  /** Acknowledged data was lost or may have been: stays until it has been reported. */
  readonly isDamaged: boolean
}

export interface DirectoryCheckpoint {
  readonly runId: Buffer
  readonly first: RoundPlace
  readonly durableLsn: bigint
  readonly isClean: boolean
  readonly logs: readonly LogCheckpoint[]
}

export function encodeCheckpoint(checkpoint: DirectoryCheckpoint): Buffer {
  const writer = new ByteWriter(96 + checkpoint.logs.length * 60)
  writer.uint32(magic)
  writer.bytes(checkpoint.runId)
  writer.int64(checkpoint.first.lsn)
  writer.int32(checkpoint.first.fileNumber)
  writer.int64(BigInt(checkpoint.first.position))
  writer.int64(checkpoint.durableLsn)
  writer.int8(checkpoint.isClean ? 1 : 0)
  writer.int32(checkpoint.logs.length)
  for (const log of checkpoint.logs) {
    writer.bytes(log.logId)
    writer.int64(log.endOffset)
    writer.int64(log.segmentBaseOffset)
    writer.int32(log.position)
    writer.int64(log.coveredLsn)
    writer.int64(log.logStartOffset)
    writer.int8(flushModes.indexOf(log.flushMode))
    writer.int8(log.isDamaged ? 1 : 0)
  }
  writer.uint32(crc32c(writer.finish()))
  return Buffer.from(writer.finish())
}

/** Undefined when the bytes are not an undamaged checkpoint. */
export function decodeCheckpoint(bytes: Buffer): DirectoryCheckpoint | undefined {
  if (bytes.length < 8) return undefined
  const body = bytes.subarray(0, bytes.length - 4)
  if (crc32c(body) !== bytes.readUInt32BE(body.length)) return undefined
  try {
    return readCheckpoint(new ByteReader(body))
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

function readCheckpoint(reader: ByteReader): DirectoryCheckpoint | undefined {
  if (reader.uint32() !== magic) return undefined
  const runId = Buffer.from(reader.bytes(16))
  const first = {
    lsn: reader.int64(),
    fileNumber: reader.int32(),
    position: Number(reader.int64()),
  }
  const durableLsn = reader.int64()
  const isClean = reader.int8() === 1
  const count = reader.int32()
  const logs: LogCheckpoint[] = []
  for (let i = 0; i < count; i++) logs.push(readLog(reader))
  return { runId, first, durableLsn, isClean, logs }
}

function readLog(reader: ByteReader): LogCheckpoint {
  return {
    logId: Buffer.from(reader.bytes(16)),
    endOffset: reader.int64(),
    segmentBaseOffset: reader.int64(),
    position: reader.int32(),
    coveredLsn: reader.int64(),
    logStartOffset: reader.int64(),
    flushMode: flushModes[reader.int8()] ?? 'ack',
    isDamaged: reader.int8() === 1,
  }
}
