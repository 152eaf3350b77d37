/** What a replica's disk holds. A write is there whole when it ends, and not at all before. */
import { type Entry, entriesAfter, type HardState, type Persist, type Snapshot } from '@naru/raft'
import { chainHash, mustHold, type RaftHistory } from './raft-history.ts'

export class SimulatedDisk {
  hardState: HardState = { term: 0n, vote: undefined }
  snapshot: (Snapshot & { readonly hash: number }) | undefined
  /** Those that follow the one at `baseIndex`. */
  entries: Entry[] = []
  baseIndex = 0n
  /** Hash of the log up to each entry, beside `entries`. */
  #hashes: number[] = []
  isRecovering = false
  recoveries = 0
  /** Entries that were damaged since it was whole. */
  readonly #lost = new Map<bigint, bigint>()
  readonly #key: string
  readonly #history: RaftHistory

  constructor(key: string, history: RaftHistory) {
    this.#key = key
    this.#history = history
  }

  get lastIndex(): bigint {
    const last = this.entries.at(-1)?.index ?? 0n
    const covered = this.snapshot?.index ?? 0n
    return last > covered ? last : covered
  }

  /** It has the entry, or a snapshot of it, or had it and knows that it has to get it back. */
  holds(index: bigint, term: bigint): boolean {
    if (this.isRecovering && this.#lost.get(index) === term) return true
    if (index <= (this.snapshot?.index ?? 0n)) return true
    return this.entries[Number(index - this.baseIndex - 1n)]?.term === term
  }

  write({ hardState, reset, entries }: Persist): void {
    if (hardState !== undefined) this.#writeHardState(hardState)
    if (reset !== undefined) this.#startAt(reset.index)
    for (const entry of entries) this.#append(entry)
  }

  /** Takes a snapshot in place of what it covers. */
  install(snapshot: Snapshot & { readonly hash: number }): void {
    const hash = this.#history.hashAt(snapshot.index)
    mustHold(
      hash === snapshot.hash,
      'snapshot is the state',
      () => `${this.#key} at ${snapshot.index}`,
    )
    this.snapshot = snapshot
  }

  /** Drops what the snapshot covers. */
  compact(index: bigint): void {
    const drop = Number(index - this.baseIndex)
    if (drop <= 0 || drop > this.entries.length) return
    this.entries = this.entries.slice(drop)
    this.#hashes = this.#hashes.slice(drop)
    this.baseIndex = index
  }

  /** What a start finds: the snapshot, and the entries that follow it. What does not continue it goes. */
  stored() {
    const { hardState, snapshot, isRecovering, recoveries } = this
    if (snapshot !== undefined) {
      if (entriesAfter(snapshot, this.entries).length === 0) this.#startAt(snapshot.index)
      else this.compact(snapshot.index)
    }
    return { hardState, snapshot, entries: [...this.entries], isRecovering, recoveries }
  }

  /** The last `count` entries turn out to be damaged, and the start sees it. */
  damage(count: number): void {
    const least = Number((this.snapshot?.index ?? 0n) - this.baseIndex)
    const kept = Math.max(0, least, this.entries.length - count)
    for (const { index, term } of this.entries.slice(kept)) this.#lost.set(index, term)
    this.#keep(kept)
    this.isRecovering = true
    this.recoveries++
  }

  recovered(): void {
    this.isRecovering = false
    this.#lost.clear()
  }

  #writeHardState(hardState: HardState): void {
    const { term, vote } = this.hardState
    const isForward =
      hardState.term > term ||
      (hardState.term === term && (vote === undefined || hardState.vote === vote))
    mustHold(isForward, 'term and vote never go back', () => `${this.#key}: ${term}/${vote}`)
    this.hardState = hardState
  }

  #append(entry: Entry): void {
    this.#keep(Number(entry.index - this.baseIndex - 1n))
    const before = this.#hashes.at(-1) ?? this.#history.hashAt(this.baseIndex) ?? 0
    const hash = chainHash(before, entry)
    this.#history.wrote(this.#key, entry, hash)
    this.entries.push(entry)
    this.#hashes.push(hash)
  }

  #startAt(index: bigint): void {
    this.#keep(0)
    this.baseIndex = index
  }

  #keep(count: number): void {
    this.entries.length = Math.min(this.entries.length, count)
    this.#hashes.length = this.entries.length
  }
}
