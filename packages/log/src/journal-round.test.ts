import { encodeBatch } from '@naru/records'
import { describe, expect, it } from 'vitest'
import {
  decodeRoundEntries,
  decodeRoundHeader,
  encodeRound,
  type PlannedEntry,
  roundSize,
  tableBytesOf,
} from './journal-round.ts'

const runId = Buffer.alloc(16, 7)
const place = { runId, fileNumber: 3, position: 8192 }

function entry(log: number, baseOffset: bigint): PlannedEntry {
  const records = [{ key: null, value: Buffer.alloc(100, log), headers: [], timestamp: 1n }]
  const batch = encodeBatch(records, { baseOffset, leaderEpoch: 0 })
  return {
    kind: 'append',
    logId: Buffer.alloc(16, log),
    baseOffset,
    nextOffset: baseOffset + 1n,
    segmentBaseOffset: 0n,
    position: 500,
    lengthBytes: batch.length,
    leaderEpoch: 0,
    buffers: [batch],
  }
}

function round(entries: readonly PlannedEntry[]): Buffer {
  const lengthBytes = roundSize(entries)
  const bytes = Buffer.alloc(lengthBytes)
  encodeRound(bytes, { ...place, lsn: 9n, durableLsn: 8n, lengthBytes }, entries)
  return bytes
}

describe('a journal round', () => {
  const entries = Array.from({ length: 20 }, (_, index) => entry(index, BigInt(index * 5)))

  it('tells from its first page how long its table is, and payload or another run from a round', () => {
    const page = round(entries).subarray(0, 4096)
    expect(tableBytesOf(page, runId)).toBe(56 + 20 * 72)
    expect(tableBytesOf(page, Buffer.alloc(16, 8))).toBeUndefined()
    expect(tableBytesOf(Buffer.alloc(4096, 0xff), runId)).toBeUndefined()
  })

  it('is refused whole when any byte of its header or table is damaged', () => {
    for (let at = 0; at < 56 + entries.length * 72; at++) {
      const bytes = round(entries)
      bytes[at] = (bytes[at] as number) ^ 0x10
      expect(decodeRoundHeader(bytes, 0, place), `byte ${at}`).toBeUndefined()
    }
  })

  it('is read as it was written', () => {
    const bytes = round(entries)
    const header = decodeRoundHeader(bytes, 0, place)
    expect(header).toMatchObject({ lsn: 9n, durableLsn: 8n, entryCount: 20 })
    const decoded = decodeRoundEntries(bytes, header as NonNullable<typeof header>)
    expect(decoded?.map(({ baseOffset }) => baseOffset)).toEqual(entries.map((e) => e.baseOffset))
    expect(decoded?.[4]?.payload).toEqual(entries[4]?.buffers[0])
    expect(bytes.length % 4096).toBe(0)
  })

  it('is nothing when any byte of header or table is wrong', () => {
    const whole = round(entries)
    for (let at = 0; at < 56 + 20 * 72; at += 13) {
      const bytes = Buffer.from(whole)
      bytes[at] = (bytes[at] as number) ^ 1
      expect(decodeRoundHeader(bytes, 0, place), `byte ${at}`).toBeUndefined()
    }
  })

  it('has no entries when a payload is torn', () => {
    const bytes = round(entries)
    const header = decodeRoundHeader(bytes, 0, place) as NonNullable<
      ReturnType<typeof decodeRoundHeader>
    >
    bytes.fill(0, 56 + 20 * 72 + 700, 56 + 20 * 72 + 720)
    expect(decodeRoundEntries(bytes, header)).toBeUndefined()
  })

  it('has no entries when any bit of a payload is wrong', () => {
    const one = [entry(1, 5n)]
    const whole = round(one)
    const header = decodeRoundHeader(whole, 0, place) as NonNullable<
      ReturnType<typeof decodeRoundHeader>
    >
    for (let at = 56 + 72; at < 56 + 72 + (one[0]?.lengthBytes ?? 0); at++) {
      const bytes = Buffer.from(whole)
      bytes[at] = (bytes[at] as number) ^ (1 << (at % 8))
      expect(decodeRoundEntries(bytes, header), `byte ${at}`).toBeUndefined()
    }
  })

  it('is another run, file or position than its own nowhere', () => {
    const bytes = round(entries)
    expect(decodeRoundHeader(bytes, 0, { ...place, runId: Buffer.alloc(16) })).toBeUndefined()
    expect(decodeRoundHeader(bytes, 0, { ...place, fileNumber: 4 })).toBeUndefined()
    expect(decodeRoundHeader(bytes, 0, { ...place, position: 4096 })).toBeUndefined()
  })
})
