/** Every entry that any replica ever held, with the one before it: what logs have in common, and where they part. */
import type { Entry, ReplicaKey } from '@naru/raft'
import { chainHash, mustHold } from '../raft/raft-history.ts'

export interface ArchivedEntry {
  readonly entry: Entry
  /** Stands for the log up to here. */
  readonly hash: number
  /** Undefined for the first. */
  readonly previous: ArchivedEntry | undefined
  /** Those in force with it. */
  readonly voters: readonly ReplicaKey[]
}

export class LogArchive {
  readonly #entries = new Map<string, ArchivedEntry>()

  at(index: bigint, term: bigint): ArchivedEntry | undefined {
    return this.#entries.get(`${index}/${term}`)
  }

  /** Same index and term: same log up to there (Raft §5.3). */
  add(replica: ReplicaKey, entry: Entry, previous: ArchivedEntry | undefined): ArchivedEntry {
    const before = previous?.entry.index ?? 0n
    mustHold(entry.index === before + 1n, 'log without gaps', () => `${replica} at ${entry.index}`)
    const place = `${entry.index}/${entry.term}`
    const hash = chainHash(previous?.hash ?? 0, entry)
    const voters = entry.kind === 'voters' ? entry.voters : (previous?.voters ?? [])
    const known = this.#entries.get(place) ?? { entry, hash, previous, voters }
    mustHold(
      known.hash === hash && known.previous === previous,
      'log matching',
      () => `${replica} at ${place}`,
    )
    this.#entries.set(place, known)
    return known
  }
}

/** The log of one process as its core has it: what it was started with, and everything that it was told to write. */
export class LogView {
  readonly #archive: LogArchive
  readonly #replica: ReplicaKey
  readonly #entries = new Map<bigint, ArchivedEntry>()
  #lastIndex: bigint

  /** `base`: the entry that a snapshot ends with. */
  constructor(
    archive: LogArchive,
    replica: ReplicaKey,
    base: ArchivedEntry | undefined,
    entries: readonly Entry[],
  ) {
    this.#archive = archive
    this.#replica = replica
    this.#lastIndex = 0n
    if (base !== undefined) this.#put(base)
    this.append(entries)
  }

  get last(): ArchivedEntry | undefined {
    return this.#entries.get(this.#lastIndex)
  }

  /** Whether the log holds an entry, perhaps in a snapshot. */
  holds({ entry: { index }, ...item }: ArchivedEntry): boolean {
    let each = this.#entries.get(index) ?? this.last
    while (each !== undefined && each.entry.index > index) each = each.previous
    return each?.hash === item.hash
  }

  at(index: bigint): ArchivedEntry | undefined {
    return this.#entries.get(index)
  }

  /** Replaces what is there from the first of `entries` on. */
  append(entries: readonly Entry[]): void {
    const [first] = entries
    if (first === undefined) return
    this.#cut(first.index)
    for (const entry of entries) {
      this.#put(this.#archive.add(this.#replica, entry, this.#entries.get(entry.index - 1n)))
    }
  }

  /** Starts over behind a snapshot. */
  reset(index: bigint, term: bigint): void {
    const base = this.#archive.at(index, term)
    mustHold(base !== undefined, 'snapshot of a log', () => `${this.#replica} at ${index}/${term}`)
    this.#entries.clear()
    this.#put(base as ArchivedEntry)
  }

  #put(item: ArchivedEntry): void {
    this.#entries.set(item.entry.index, item)
    this.#lastIndex = item.entry.index
  }

  #cut(from: bigint): void {
    for (let index = from; index <= this.#lastIndex; index++) this.#entries.delete(index)
    this.#lastIndex = from - 1n
  }
}
