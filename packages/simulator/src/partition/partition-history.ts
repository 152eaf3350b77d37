/** What is true of a partition as a whole, which no broker knows: what was acknowledged and read. Invariants 17, 22 to 28 of the protocol. */
import { mustHold } from '../raft/raft-history.ts'
import type { Batch, ModelLog } from './model-log.ts'

export class PartitionHistory {
  /** Below some leader's high watermark: acknowledged, and read by somebody. By index. */
  readonly #committed: Batch[] = []
  /** Of the last unclean election: what earlier leaders say is void. */
  #forgivenEpoch = -1

  get last(): Batch | undefined {
    return this.#committed.at(-1)
  }

  get endOffset(): bigint {
    return this.last?.nextOffset ?? 0n
  }

  /** A leader's high watermark moved: what lies below is acknowledged (invariants 22, 24, 26). */
  committed(leaderEpoch: number, log: ModelLog, highWatermark: bigint): void {
    if (leaderEpoch < this.#forgivenEpoch) return
    const tip = tipOf(log, highWatermark)
    if (tip === undefined) return
    const known = this.last
    const added: Batch[] = []
    let batch: Batch | undefined = tip
    while (batch !== undefined && batch.index >= this.#committed.length) {
      added.push(batch)
      batch = batch.previous
    }
    mustHold(
      added.length === 0 || batch === known,
      'what is acknowledged never changes',
      () => `${batch?.baseOffset}/${batch?.epoch} for ${known?.baseOffset}/${known?.epoch}`,
    )
    this.#committed.push(...added.reverse())
    this.#mustBeKnown(tip)
  }

  /** A follower's high watermark moved: its readers see what lies below (invariants 25, 26). */
  seen(leaderEpoch: number, log: ModelLog, highWatermark: bigint): void {
    if (leaderEpoch < this.#forgivenEpoch) return
    // A leader that knew more than the unclean one may have come back.
    if (this.#forgivenEpoch >= 0) this.committed(leaderEpoch, log, highWatermark)
    const tip = tipOf(log, highWatermark)
    if (tip !== undefined) this.#mustBeKnown(tip)
  }

  holdsAll(log: ModelLog): boolean {
    return log.holds(this.last)
  }

  /** Who leads by an unclean election may lack what was acknowledged, or have it in memory only: that is what it means. */
  forgive(leaderEpoch: number, log: ModelLog): void {
    this.#forgivenEpoch = leaderEpoch
    const isKept = (batch: Batch | undefined) =>
      log.holds(batch) && (batch?.nextOffset ?? 0n) <= log.flushedOffset
    while (this.#committed.length > 0 && !isKept(this.last)) this.#committed.pop()
  }

  #mustBeKnown(tip: Batch): void {
    const known = this.#committed[tip.index]
    mustHold(
      known === tip,
      'what is read never changes',
      () => `${tip.baseOffset}/${tip.epoch}, acknowledged was ${known?.baseOffset}/${known?.epoch}`,
    )
  }
}

function tipOf(log: ModelLog, offset: bigint): Batch | undefined {
  const tip = log.endingAt(offset)
  mustHold(offset === 0n || tip !== undefined, 'high watermarks lie between batches', () =>
    String(offset),
  )
  return tip
}
