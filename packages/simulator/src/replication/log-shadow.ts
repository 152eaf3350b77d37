/** What one replica's log holds, byte for byte, batch by batch, as the log itself was told: kept beside it by a tap. */
import { crc32c } from '@naru/base'
import type { Log } from '@naru/log'
import { type BatchHeader, batchesOf, readBatchHeader } from '@naru/records'
import { mustHold } from '../raft/raft-history.ts'

export interface ShadowBatch {
  readonly baseOffset: bigint
  readonly nextOffset: bigint
  readonly leaderEpoch: number
  /** Of this batch and all before it. */
  readonly chain: number
  readonly bytes: Buffer
}

export class LogShadow {
  readonly name: string
  /** Contiguous, oldest first. */
  #batches: ShadowBatch[] = []
  #startOffset: bigint
  /** Of what was below the start; undefined of one within a batch. */
  readonly #startChain: number | undefined

  constructor(name: string, startOffset: bigint, startChain: number | undefined) {
    this.name = name
    this.#startOffset = startOffset
    this.#startChain = startChain
  }

  get startOffset(): bigint {
    return this.#startOffset
  }

  get endOffset(): bigint {
    return this.#batches.at(-1)?.nextOffset ?? this.#startOffset
  }

  get batches(): readonly ShadowBatch[] {
    return this.#batches
  }

  /** Invariant 29: offsets are contiguous, and epochs never fall. */
  append(header: BatchHeader, bytes: Buffer): void {
    const { baseOffset, leaderEpoch } = header
    const last = this.#batches.at(-1)
    mustHold(
      baseOffset === this.endOffset,
      'offsets are contiguous',
      () => `${this.name}: ${baseOffset} behind ${this.endOffset}`,
    )
    mustHold(
      leaderEpoch >= (last?.leaderEpoch ?? 0),
      'epochs never fall',
      () => `${this.name}: ${leaderEpoch} behind ${last?.leaderEpoch}`,
    )
    const before = last?.chain ?? this.#startChain
    mustHold(before !== undefined, 'logs begin where a batch begins', () => this.name)
    const chain = crc32c(bytes) ^ Math.imul((before as number) + 1, 0x9e3779b1)
    const copy = Buffer.from(bytes)
    const nextOffset = header.lastOffset + 1n
    this.#batches.push({ baseOffset, nextOffset, leaderEpoch, chain, bytes: copy })
  }

  /** Keeps whole batches below `endOffset`. */
  truncate(endOffset: bigint): void {
    const kept = this.#batches.findIndex(({ nextOffset }) => nextOffset > endOffset)
    if (kept >= 0) this.#batches.length = kept
  }

  /** Of everything below `endOffset`, where a batch ends; undefined where none does. */
  chainAt(endOffset: bigint): number | undefined {
    if (endOffset === this.#startOffset) return this.#startChain
    return this.#ending(endOffset)?.chain
  }

  /** Batches from one that begins at `from` up to one that ends at `to`. */
  between(from: bigint, to: bigint): readonly ShadowBatch[] {
    const first = this.#batches.findIndex(({ baseOffset }) => baseOffset >= from)
    if (first < 0) return []
    const found: ShadowBatch[] = []
    for (let at = first; at < this.#batches.length; at++) {
      const batch = this.#batches[at] as ShadowBatch
      if (batch.nextOffset > to) break
      found.push(batch)
    }
    return found
  }

  #ending(endOffset: bigint): ShadowBatch | undefined {
    let low = 0
    let high = this.#batches.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const batch = this.#batches[middle] as ShadowBatch
      if (batch.nextOffset === endOffset) return batch
      if (batch.nextOffset < endOffset) low = middle + 1
      else high = middle - 1
    }
    return undefined
  }
}

/** Of a log that was found on a disk: what its segments hold, which nothing but the disk can tell. `chainAt`: of what is deleted below. */
export function shadowOf(
  log: Log,
  chainAt: (offset: bigint) => number | undefined,
  read: (path: string) => Buffer | undefined,
): LogShadow {
  const batches = [...batchesIn(log, read)]
  const baseOffset = batches[0]?.header.baseOffset ?? log.logStartOffset
  const shadow = new LogShadow(log.path, baseOffset, chainAt(baseOffset))
  for (const { header, batch } of batches) shadow.append(header, batch)
  const { endOffset } = shadow
  mustHold(
    endOffset === log.logEndOffset,
    'a log is what its segments hold',
    () => `${log.path} ends at ${log.logEndOffset}, its segments at ${endOffset}`,
  )
  return shadow
}

/** Without those that are deleted and not gone yet. */
function* batchesIn(log: Log, read: (path: string) => Buffer | undefined) {
  for (const segment of log.segments) {
    const bytes = read(segment.path)?.subarray(0, log.readableBytes(segment))
    for (const batch of batchesOf(bytes ?? Buffer.alloc(0))) {
      const header = readBatchHeader(batch)
      if (header.lastOffset >= log.logStartOffset) yield { header, batch }
    }
  }
}
