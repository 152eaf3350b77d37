import { DecodeError } from '@naru/base'
import type { DerivedState } from '@naru/log'
import {
  decodeLeaderEpochs,
  decodeProducerSnapshot,
  encodeLeaderEpochs,
  encodeProducerSnapshot,
  LeaderEpochs,
  type ProducerEntry,
  ProducerState,
} from '@naru/partition'
import type { BatchHeader } from '@naru/records'

/** What a partition derives from its log: its producers and its leader epochs. */
export class PartitionState implements DerivedState {
  readonly producers = new ProducerState()
  readonly epochs = new LeaderEpochs()

  restore(stored: {
    producers: Buffer | undefined
    epochs: Buffer | undefined
    offset: bigint
  }): boolean {
    let entries: ProducerEntry[] = []
    try {
      if (stored.producers !== undefined) entries = decodeProducerSnapshot(stored.producers)
    } catch (error) {
      if (error instanceof DecodeError) return false
      throw error
    }
    for (const entry of entries) this.producers.restore(entry)
    const starts = stored.epochs === undefined ? undefined : decodeLeaderEpochs(stored.epochs)
    for (const { epoch, startOffset } of starts ?? []) {
      // Epochs above what is restored are noted again by the replay.
      if (startOffset <= stored.offset) this.epochs.assign(epoch, startOffset)
    }
    return true
  }

  reset(): void {
    this.producers.clear()
    this.epochs.clear()
  }

  truncateEnd(endOffset: bigint): void {
    this.epochs.truncateEnd(endOffset)
  }

  replay(header: BatchHeader): void {
    this.producers.append(header)
    this.epochs.assign(header.leaderEpoch, header.baseOffset)
  }

  capture(): { producers: Buffer; epochs: Buffer } {
    return {
      producers: encodeProducerSnapshot(this.producers.entries()),
      epochs: encodeLeaderEpochs(this.epochs.entries),
    }
  }
}
