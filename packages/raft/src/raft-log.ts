/**
 * The log of a replica as it is in memory: what lies above the last snapshot, saved or not. `durableIndex` says how far the disk
 * has it. Invariant: base <= commitIndex, base <= durableIndex, takenIndex <= min(commitIndex, durableIndex).
 */
import { assert } from '@naru/base'
import { type Entry, entryBytes, type Snapshot } from './entry.ts'

interface Base {
  readonly index: bigint
  readonly term: bigint
}

interface Saving {
  /** Entries up to here are on the disk when the write ends, unless they were replaced meanwhile. */
  validTo: bigint
}

export class RaftLog {
  #base: Base
  #entries: Entry[]
  #durableIndex: bigint
  #commitIndex: bigint
  #takenIndex: bigint
  #unsavedFrom: bigint
  #saving: Saving | undefined

  /** `entries` follow `base` without a gap and are on the disk. */
  constructor(base: Base, entries: readonly Entry[]) {
    this.#base = { index: base.index, term: base.term }
    this.#entries = [...entries]
    entries.forEach((entry, position) => {
      assert(entry.index === base.index + BigInt(position + 1), 'The stored log has a gap')
    })
    this.#durableIndex = this.lastIndex
    this.#unsavedFrom = this.lastIndex + 1n
    this.#commitIndex = base.index
    this.#takenIndex = base.index
  }

  /** Everything up to here is in a snapshot only. */
  get baseIndex(): bigint {
    return this.#base.index
  }

  get lastIndex(): bigint {
    return this.#base.index + BigInt(this.#entries.length)
  }

  get lastTerm(): bigint {
    return this.#entries.at(-1)?.term ?? this.#base.term
  }

  get durableIndex(): bigint {
    return this.#durableIndex
  }

  get commitIndex(): bigint {
    return this.#commitIndex
  }

  /** Handed out to be applied. */
  get takenIndex(): bigint {
    return this.#takenIndex
  }

  get hasUnsaved(): boolean {
    return this.#unsavedFrom <= this.lastIndex
  }

  /** Undefined beyond the end and below the base. */
  termAt(index: bigint): bigint | undefined {
    if (index === this.#base.index) return this.#base.term
    return this.entryAt(index)?.term
  }

  entryAt(index: bigint): Entry | undefined {
    if (index <= this.#base.index) return undefined
    return this.#entries[Number(index - this.#base.index - 1n)]
  }

  matches(index: bigint, term: bigint): boolean {
    return this.termAt(index) === term
  }

  /** Whether a log that ends with (lastIndex, lastTerm) holds at least as much as this one (Raft §5.4.1). */
  isCoveredBy(lastIndex: bigint, lastTerm: bigint): boolean {
    if (lastTerm !== this.lastTerm) return lastTerm > this.lastTerm
    return lastIndex >= this.lastIndex
  }

  /** The largest index at or below `index` whose term is at most `term`: nothing above it can match a log that has `term` there. */
  lastAtOrBelow(index: bigint, term: bigint): bigint {
    let at = index < this.lastIndex ? index : this.lastIndex
    while (at > this.#base.index && (this.termAt(at) as bigint) > term) at--
    return at > this.#base.index ? at : this.#base.index
  }

  /** Adds entries that continue the log. */
  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      assert(entry.index === this.lastIndex + 1n, `Entry ${entry.index} leaves a gap`)
      assert(entry.term >= this.lastTerm, 'Terms never go down along a log')
      this.#entries.push(entry)
    }
  }

  /**
   * Takes a leader's entries after a place where both logs match: those that are there already stay, the first that conflicts
   * and all after it are replaced (Raft §5.3). Returns the index from which entries were cut off, if any were.
   */
  merge(entries: readonly Entry[]): bigint | undefined {
    const fresh = entries.findIndex((entry) => !this.matches(entry.index, entry.term))
    if (fresh < 0) return undefined
    const from = (entries[fresh] as Entry).index
    const cutFrom = from <= this.lastIndex ? from : undefined
    if (cutFrom !== undefined) this.#truncate(cutFrom)
    this.append(entries.slice(fresh))
    return cutFrom
  }

  /** Entries from `from` on, at least one and then up to `bytesMax`. */
  slice(from: bigint, bytesMax: number): Entry[] {
    const taken: Entry[] = []
    let bytes = 0
    for (let entry = this.entryAt(from); entry; entry = this.entryAt(entry.index + 1n)) {
      bytes += entryBytes(entry)
      if (taken.length > 0 && bytes > bytesMax) break
      taken.push(entry)
    }
    return taken
  }

  commitTo(index: bigint): boolean {
    if (index <= this.#commitIndex) return false
    assert(index <= this.lastIndex, `Cannot commit ${index}: the log ends at ${this.lastIndex}`)
    this.#commitIndex = index
    return true
  }

  /** Hands out what is committed and on the disk, up to `bytesMax`, once. */
  takeCommitted(bytesMax: number): Entry[] {
    const end = this.#commitIndex < this.#durableIndex ? this.#commitIndex : this.#durableIndex
    if (end <= this.#takenIndex) return []
    const entries = this.slice(this.#takenIndex + 1n, bytesMax).filter(({ index }) => index <= end)
    this.#takenIndex += BigInt(entries.length)
    return entries
  }

  /** Hands out what the disk lacks; `saved` tells the end of that write. */
  takeUnsaved(): Entry[] {
    assert(this.#saving === undefined, 'One write of the log at a time')
    this.#saving = { validTo: this.lastIndex }
    const from = Number(this.#unsavedFrom - this.#base.index - 1n)
    this.#unsavedFrom = this.lastIndex + 1n
    return this.#entries.slice(from)
  }

  saved(): void {
    assert(this.#saving !== undefined, 'No write of the log was under way')
    const { validTo } = this.#saving
    this.#saving = undefined
    if (validTo > this.#durableIndex) this.#durableIndex = validTo
  }

  /** Forgets the entries up to `index`, which a snapshot holds. */
  compact(index: bigint): void {
    if (index <= this.#base.index) return
    assert(
      index <= this.#takenIndex,
      `Cannot compact to ${index}: only ${this.#takenIndex} was applied`,
    )
    const term = this.termAt(index) as bigint
    this.#entries = this.#entries.slice(Number(index - this.#base.index))
    this.#base = { index, term }
  }

  /** Starts over from a snapshot that is on the disk and is of another log, or of more of it. */
  restore({ index, term }: Snapshot): void {
    assert(index > this.#commitIndex, `Snapshot ${index} is older than what is committed`)
    this.#base = { index, term }
    this.#entries = []
    this.#durableIndex = index
    this.#commitIndex = index
    this.#takenIndex = index
    this.#unsavedFrom = index + 1n
    if (this.#saving !== undefined) this.#saving.validTo = index
  }

  /** A snapshot of the log up to `index` is on the disk and has been applied. */
  cover(index: bigint): void {
    this.commitTo(index)
    if (this.#takenIndex < index) this.#takenIndex = index
    if (this.#durableIndex < index) this.#durableIndex = index
  }

  #truncate(from: bigint): void {
    assert(from > this.#commitIndex, `Entry ${from} conflicts with a committed one`)
    this.#entries.length = Number(from - this.#base.index - 1n)
    const last = from - 1n
    if (this.#durableIndex > last) this.#durableIndex = last
    if (this.#unsavedFrom > from) this.#unsavedFrom = from
    if (this.#saving !== undefined && this.#saving.validTo > last) this.#saving.validTo = last
  }
}
