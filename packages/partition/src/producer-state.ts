/**
 * Idempotent producers of one partition (KIP-98): what each has appended last, so that a retry is answered with the offset of
 * the first try, and a gap or an old incarnation is refused. A deterministic function of the batches in the log.
 */
import { assert } from '@naru/base'
import { type KafkaError, kafkaErrors } from '@naru/model'
import { type BatchHeader, noProducerId } from '@naru/records'

/** Batches remembered for each producer: as many as a client may have in flight. */
export const rememberedBatches = 5

export interface AppendedBatch {
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly timestamp: bigint
}

export interface ProducerEntry {
  readonly producerId: bigint
  epoch: number
  /** Oldest first. Empty after a new epoch until its first batch. */
  batches: AppendedBatch[]
  /** Of the newest batch, in the wall clock of the records. */
  lastTimestamp: bigint
}

export type Verdict =
  | { kind: 'append' }
  | { kind: 'duplicate'; of: AppendedBatch }
  | { kind: 'refuse'; error: KafkaError; message: string }

const append: Verdict = { kind: 'append' }

export class ProducerState {
  readonly #producers = new Map<bigint, ProducerEntry>()

  get size(): number {
    return this.#producers.size
  }

  entries(): IterableIterator<ProducerEntry> {
    return this.#producers.values()
  }

  /** What to do with a batch that a client sent: the epoch is judged first, then the sequence (KIP-360). */
  check(header: BatchHeader): Verdict {
    if (header.producerId === noProducerId) return append
    const entry = this.#producers.get(header.producerId)
    // Unknown after retention or expiry: any sequence may be the first that is seen.
    if (entry === undefined) return append
    if (header.producerEpoch < entry.epoch) {
      const epochs = `epoch ${header.producerEpoch}, the newest is ${entry.epoch}`
      return refuse(
        kafkaErrors.INVALID_PRODUCER_EPOCH,
        `Producer ${entry.producerId} has ${epochs}`,
      )
    }
    if (header.producerEpoch > entry.epoch) return checkFirst(header)
    const last = entry.batches.at(-1)
    if (last === undefined) return checkFirst(header)
    const { baseSequence } = header
    const lastSequence = lastSequenceOf(header)
    const duplicate = entry.batches.find(
      (batch) => batch.baseSequence === baseSequence && batch.lastSequence === lastSequence,
    )
    if (duplicate !== undefined) return { kind: 'duplicate', of: duplicate }
    const expected = nextSequence(last.lastSequence)
    if (baseSequence === expected) return append
    const message = `Sequence ${baseSequence} of producer ${entry.producerId} does not follow ${last.lastSequence}`
    return refuse(kafkaErrors.OUT_OF_ORDER_SEQUENCE_NUMBER, message)
  }

  /** Notes a batch that is in the log: appended just now, or met in a replay. */
  append(header: BatchHeader): void {
    if (header.producerId === noProducerId) return
    let entry = this.#producers.get(header.producerId)
    if (entry === undefined) {
      const { producerId, producerEpoch: epoch } = header
      entry = { producerId, epoch, batches: [], lastTimestamp: header.maxTimestamp }
      this.#producers.set(producerId, entry)
    }
    if (header.producerEpoch > entry.epoch) {
      entry.epoch = header.producerEpoch
      entry.batches = []
    }
    entry.lastTimestamp = header.maxTimestamp
    entry.batches.push({
      baseSequence: header.baseSequence,
      lastSequence: lastSequenceOf(header),
      baseOffset: header.baseOffset,
      lastOffset: header.lastOffset,
      timestamp: header.maxTimestamp,
    })
    if (entry.batches.length > rememberedBatches) entry.batches.shift()
  }

  /** Puts back an entry of a snapshot. */
  restore(entry: ProducerEntry): void {
    assert(!this.#producers.has(entry.producerId), `Producer ${entry.producerId} stands twice`)
    this.#producers.set(entry.producerId, entry)
  }

  /** Forgets producers that appended nothing for `expirationMs` (`producer.id.expiration.ms`). */
  expire(nowMs: bigint, expirationMs: bigint): void {
    for (const [producerId, entry] of this.#producers) {
      if (nowMs - entry.lastTimestamp > expirationMs) this.#producers.delete(producerId)
    }
  }

  clear(): void {
    this.#producers.clear()
  }
}

function refuse(error: KafkaError, message: string): Verdict {
  return { kind: 'refuse', error, message }
}

/** A new epoch begins with sequence 0. */
function checkFirst(header: BatchHeader): Verdict {
  if (header.baseSequence === 0) return append
  const { producerEpoch, baseSequence, producerId } = header
  const message = `Epoch ${producerEpoch} of producer ${producerId} begins with sequence ${baseSequence}`
  return refuse(kafkaErrors.OUT_OF_ORDER_SEQUENCE_NUMBER, message)
}

/** Sequences wrap from 2147483647 to 0. */
function lastSequenceOf(header: BatchHeader): number {
  const last = header.baseSequence + header.lastOffsetDelta
  return last > 0x7fffffff ? last - 0x80000000 : last
}

function nextSequence(sequence: number): number {
  return sequence === 0x7fffffff ? 0 : sequence + 1
}
