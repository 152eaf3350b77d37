/** What producers were told: which of their records are acknowledged, and where. Held to what is committed. */
import { readBatchHeader, recordsOf } from '@naru/records'
import { mustHold } from '../raft/raft-history.ts'
import type { CommittedLog } from './committed-log.ts'

interface Acknowledged {
  readonly producer: number
  /** Number of the first of them. */
  readonly first: number
  readonly count: number
  readonly baseOffset: bigint
}

interface Stored {
  readonly producer: number
  readonly number: number
}

export class RecordHistory {
  readonly #committedOf: (topicId: string, partition: number) => CommittedLog
  /** Of producers that repeat what was not acknowledged: those of others may be there twice. */
  readonly idempotent = new Set<number>()
  readonly #unanswered = new Set<string>()
  acknowledgedCount = 0

  constructor(committedOf: (topicId: string, partition: number) => CommittedLog) {
    this.#committedOf = committedOf
  }

  /** Invariant 22: what is acknowledged is committed, where the producer was told. */
  acknowledged(topicId: string, partition: number, told: Acknowledged): void {
    const { producer, first, count, baseOffset } = told
    this.acknowledgedCount += count
    const committed = this.#committedOf(topicId, partition)
    const batch = committed.batches.findLast((each) => each.baseOffset === baseOffset)
    const where = () =>
      `${producer}: ${first} to ${first + count} of ${topicId}-${partition} at ${baseOffset}, committed ${committed.endOffset}`
    mustHold(batch !== undefined, 'what is acknowledged is committed', where)
    const stored = batch === undefined ? [] : [...numbersIn(batch.bytes)]
    const isSame =
      stored.length === count &&
      stored.every((each, at) => each.producer === producer && each.number === first + at)
    mustHold(isSame, 'what is acknowledged is what was sent', where)
  }

  /** Sent without idempotence, given up without an answer: it may arrive yet, behind what was sent after it on another connection. */
  unanswered(producer: number, { first, count }: { first: number; count: number }): void {
    for (let at = 0; at < count; at++) this.#unanswered.add(`${producer}:${first + at}`)
  }

  /**
   * Invariants 37 and 47: each record once, and in the order in which its producer sent it. Of what is deleted a replica that began anew
   * knows nothing: there it may be once more, sent again.
   */
  check(committed: CommittedLog): void {
    const next = new Map<number, number>()
    const deleted = new Set<string>()
    for (const { bytes, baseOffset } of committed.batches) {
      for (const { producer, number } of numbersIn(bytes)) {
        const expected = next.get(producer) ?? 0
        const mayRepeat = number < expected && deleted.has(`${producer}:${number}`)
        if (baseOffset < committed.deletedTo) deleted.add(`${producer}:${number}`)
        const isRight = this.idempotent.has(producer)
          ? number === expected || mayRepeat
          : number >= expected || this.#unanswered.has(`${producer}:${number}`)
        mustHold(
          isRight,
          'each record once and in order',
          () => `${producer} in ${committed.name}: ${number} where ${expected} follows`,
        )
        next.set(producer, number + 1)
      }
    }
  }
}

function* numbersIn(bytes: Buffer): Generator<Stored> {
  for (const { value } of recordsOf(bytes, readBatchHeader(bytes))) {
    const [producer, number] = String(value).split(':')
    yield { producer: Number(producer), number: Number(number) }
  }
}
