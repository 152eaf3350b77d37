/** Where each leader epoch of a log begins (KIP-101): how two logs find the point up to which they agree. */
import { assert } from '@naru/base'
import { type KafkaError, kafkaErrors } from '@naru/model'

export interface EpochStart {
  readonly epoch: number
  readonly startOffset: bigint
}

export class LeaderEpochs {
  /** Both epochs and offsets rise. */
  #entries: EpochStart[] = []

  get entries(): readonly EpochStart[] {
    return this.#entries
  }

  get latest(): number | undefined {
    return this.#entries.at(-1)?.epoch
  }

  /** What is written at `startOffset`, or will be, belongs to `epoch`; no effect when that is known. */
  assign(epoch: number, startOffset: bigint): void {
    const last = this.#entries.at(-1)
    if (last?.epoch === epoch) return
    if (last !== undefined && epoch < last.epoch && last.startOffset < startOffset) return
    assert(startOffset >= 0n, `Leader epoch ${epoch} begins at ${startOffset}`)
    // An epoch in which nothing was written gives way: to the next one, or to an earlier one whose end this log only gets now.
    this.#entries = this.#entries.filter((entry) => entry.startOffset < startOffset)
    if (epoch > (this.latest ?? -1)) this.#entries.push({ epoch, startOffset })
  }

  /**
   * The largest known epoch at or below `epoch` and where it ends (exclusive) (KIP-279). One below all that are known ended where
   * they begin; of one above them nothing is known: undefined.
   */
  endOffsetOf(
    epoch: number,
    logEndOffset: bigint,
  ): { epoch: number; endOffset: bigint } | undefined {
    const { latest } = this
    if (epoch === -1 || latest === undefined || epoch > latest) return undefined
    const index = this.#entries.findLastIndex((entry) => entry.epoch <= epoch)
    const endOffset = this.#entries[index + 1]?.startOffset ?? logEndOffset
    return { epoch: this.#entries[index]?.epoch ?? epoch, endOffset }
  }

  /** The epoch in which the record at `offset` was written. */
  epochOf(offset: bigint): number | undefined {
    return this.#entries.findLast((entry) => entry.startOffset <= offset)?.epoch
  }

  clear(): void {
    this.#entries = []
  }

  /** Drops the epochs that begin at or after the new end of the log. */
  truncateEnd(endOffset: bigint): void {
    this.#entries = this.#entries.filter((entry) => entry.startOffset < endOffset)
  }

  /** Drops the epochs that end at or before the new start of the log. */
  truncateStart(startOffset: bigint): void {
    const kept = this.#entries.filter((entry) => entry.startOffset > startOffset)
    const holder = this.#entries.findLast((entry) => entry.startOffset <= startOffset)
    this.#entries = holder === undefined ? kept : [{ ...holder, startOffset }, ...kept]
  }
}

/**
 * Where a follower's log leaves the leader's at the latest: the largest epoch that both may have, and its end in the leader's log.
 * Undefined when the follower's log is a prefix of the leader's (rule D3). An equal end alone proves nothing.
 */
export function divergence(
  leader: LeaderEpochs,
  leaderEndOffset: bigint,
  { lastEpoch, logEndOffset }: { lastEpoch: number; logEndOffset: bigint },
): { epoch: number; endOffset: bigint } | undefined {
  if (lastEpoch === -1 && logEndOffset <= leaderEndOffset) return undefined
  const end = leader.endOffsetOf(lastEpoch, leaderEndOffset) ?? {
    epoch: leader.latest ?? -1,
    endOffset: leaderEndOffset,
  }
  return end.epoch === lastEpoch && logEndOffset <= end.endOffset ? undefined : end
}

/** Up to where a follower's log may agree with that of a leader who has answered with `end` (rule D4). */
export function agreedEnd(
  follower: LeaderEpochs,
  logEndOffset: bigint,
  end: { epoch: number; endOffset: bigint },
): bigint {
  const own = follower.endOffsetOf(end.epoch, logEndOffset)
  if (own === undefined) return end.endOffset < logEndOffset ? end.endOffset : logEndOffset
  if (own.epoch !== end.epoch) return own.endOffset
  return own.endOffset < end.endOffset ? own.endOffset : end.endOffset
}

/** What is wrong with a client's idea of the leadership, where the replica's own is `known` (KIP-320); -1 asks for no check. */
export function epochError(known: number, current: number): KafkaError | undefined {
  if (current === -1 || current === known) return undefined
  return current < known ? kafkaErrors.FENCED_LEADER_EPOCH : kafkaErrors.UNKNOWN_LEADER_EPOCH
}

/** The text of `leader-epoch-checkpoint`: a version, a count, then epoch and start offset a line. */
export function encodeLeaderEpochs(entries: readonly EpochStart[]): Buffer {
  const lines = entries.map((entry) => `${entry.epoch} ${entry.startOffset}\n`)
  return Buffer.from(`0\n${entries.length}\n${lines.join('')}`)
}

/** Undefined when the text is not a whole checkpoint. */
export function decodeLeaderEpochs(bytes: Buffer): EpochStart[] | undefined {
  const lines = bytes.toString('utf8').split('\n')
  const count = Number(lines[1])
  if (lines[0] !== '0' || !Number.isInteger(count) || lines.length < count + 2) return undefined
  const entries: EpochStart[] = []
  for (const line of lines.slice(2, count + 2)) {
    const match = /^(\d+) (\d+)$/.exec(line)
    if (match === null) return undefined
    entries.push({ epoch: Number(match[1]), startOffset: BigInt(match[2] as string) })
  }
  return entries
}
