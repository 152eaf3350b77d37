// The log against a plain array, and what it says of the disk against a disk that writes what it is given, when it is told to.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Entry, entryBytes, type Snapshot } from './entry.ts'
import { RaftLog } from './raft-log.ts'
import { entriesAfter } from './stored-log.ts'
import { entriesOf } from './testing/solo-replica.ts'

/** What the disk does with a write: the reset, then the entries over whatever is stored from their index on. */
class PlainDisk {
  entries: Entry[] = []
  snapshot: Snapshot = { index: 0n, term: 0n, voters: [] }
  isResetDue = false
  #writing: { isReset: boolean; entries: readonly Entry[] } | undefined

  get isWriting(): boolean {
    return this.#writing !== undefined
  }

  begin(entries: readonly Entry[]): void {
    this.#writing = { isReset: this.isResetDue, entries }
    this.isResetDue = false
  }

  end(): void {
    const { isReset = false, entries = [] } = this.#writing ?? {}
    this.#writing = undefined
    const first = entries[0]?.index
    const kept = this.entries.filter(({ index }) => first === undefined || index < first)
    this.entries = [...(isReset ? [] : kept), ...entries]
  }
}

/** The same log, as an array in which an entry's place is its index. */
class PlainLog {
  readonly log = new RaftLog({ index: 0n, term: 0n }, [])
  readonly disk = new PlainDisk()
  base = { index: 0n, term: 0n }
  terms = new Map<bigint, bigint>()
  last = 0n
  commit = 0n
  taken = 0n
  term = 1n

  lastTerm(): bigint {
    return this.terms.get(this.last) ?? this.base.term
  }

  append(terms: readonly bigint[]): void {
    const entries = entriesOf(terms, this.last)
    this.log.append(entries)
    for (const { index, term } of entries) this.terms.set(index, term)
    this.last += BigInt(terms.length)
  }

  /** A leader of a newer term agrees on all but the last `differing`, and has `more` of its own. */
  merge(differing: number, more: number): void {
    this.term++
    const agreed = max(this.commit, this.last - BigInt(differing))
    const from = max(this.commit, agreed - 2n)
    const common: Entry[] = []
    for (let index = from + 1n; index <= agreed; index++) {
      common.push({ index, term: this.terms.get(index) as bigint, kind: 'noop' })
    }
    const own = entriesOf(
      Array.from({ length: more }, () => this.term),
      agreed,
    )
    const cutFrom = this.log.merge([...common, ...own])
    expect(cutFrom).toBe(more > 0 && agreed < this.last ? agreed + 1n : undefined)
    if (more === 0) return
    for (let index = agreed + 1n; index <= this.last; index++) this.terms.delete(index)
    for (const { index, term } of own) this.terms.set(index, term)
    this.last = agreed + BigInt(more)
  }

  commitTo(ahead: number): void {
    const index = min(this.last, this.commit + BigInt(ahead))
    expect(this.log.commitTo(index)).toBe(index > this.commit)
    this.commit = index
  }

  beginWrite(): void {
    if (this.disk.isWriting) return
    this.disk.begin(this.log.takeUnsaved())
    expect(this.log.hasUnsaved).toBe(false)
  }

  endWrite(): void {
    if (!this.disk.isWriting) return
    this.disk.end()
    this.log.saved()
  }

  take(bytesMax: number): void {
    for (const entry of this.log.takeCommitted(bytesMax)) {
      this.taken++
      expect(entry.index).toBe(this.taken)
      expect(entry.term).toBe(this.terms.get(entry.index))
    }
    expect(this.taken).toBeLessThanOrEqual(this.commit)
    expect(this.taken).toBeLessThanOrEqual(max(this.disk.snapshot.index, this.log.durableIndex))
  }

  compact(back: number): void {
    const index = max(this.base.index, this.taken - BigInt(back))
    const term = index === this.base.index ? this.base.term : (this.terms.get(index) as bigint)
    // Its own snapshot, of what it has applied, comes first.
    if (this.taken > this.disk.snapshot.index) {
      const takenTerm = this.terms.get(this.taken) as bigint
      this.disk.snapshot = { index: this.taken, term: takenTerm, voters: [] }
    }
    this.log.compact(index)
    for (let each = this.base.index; each <= index; each++) this.terms.delete(each)
    this.base = { index, term }
  }

  restore(ahead: number): void {
    const index = this.commit + BigInt(ahead)
    this.disk.snapshot = { index, term: ++this.term, voters: [] }
    this.log.restore(this.disk.snapshot)
    this.disk.isResetDue = true
    this.terms.clear()
    this.base = { index, term: this.term }
    this.last = index
    this.commit = index
    this.taken = index
  }

  /** A snapshot that agrees with the log came meanwhile. */
  cover(ahead: number): void {
    const index = min(this.last, this.commit + BigInt(ahead))
    if (index <= this.commit) return
    this.disk.snapshot = { index, term: this.terms.get(index) as bigint, voters: [] }
    this.log.cover(index)
    this.commit = index
    this.taken = index
  }

  /** What a restart would find now: everything that is said to be on the disk. */
  checkDisk(): void {
    const { snapshot, entries } = this.disk
    const found = new RaftLog(snapshot, entriesAfter(snapshot, entries))
    const { durableIndex } = this.log
    expect(found.lastIndex).toBeGreaterThanOrEqual(durableIndex)
    expect(durableIndex).toBeGreaterThanOrEqual(snapshot.index)
    for (let index = max(snapshot.index, this.base.index) + 1n; index <= durableIndex; index++) {
      expect(found.termAt(index), `entry ${index}`).toBe(this.terms.get(index))
    }
    if (!this.disk.isWriting && !this.log.hasUnsaved && !this.disk.isResetDue) {
      expect(durableIndex).toBe(this.last)
    }
  }

  checkLog(): void {
    const { log, base, last } = this
    expect(log).toMatchObject({ baseIndex: base.index, lastIndex: last, commitIndex: this.commit })
    expect(log.takenIndex).toBe(this.taken)
    expect(log.lastTerm).toBe(this.lastTerm())
    expect(log.termAt(base.index)).toBe(base.term)
    expect(log.termAt(base.index - 1n)).toBeUndefined()
    expect(log.termAt(last + 1n)).toBeUndefined()
    for (let index = base.index + 1n; index <= last; index++) {
      expect(log.termAt(index)).toBe(this.terms.get(index))
      expect(log.entryAt(index)?.index).toBe(index)
    }
  }
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

const few = (name: string, most: number, least = 0) =>
  fc.record({ type: fc.constant(name), count: fc.integer({ min: least, max: most }) })
const operations = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: few('append', 3) },
    {
      weight: 4,
      arbitrary: fc.record({ type: fc.constant('merge'), count: fc.nat(5), more: fc.nat(3) }),
    },
    { weight: 3, arbitrary: few('commit', 4) },
    { weight: 5, arbitrary: few('begin', 0) },
    { weight: 4, arbitrary: few('end', 0) },
    { weight: 3, arbitrary: few('take', 200, 1) },
    { weight: 1, arbitrary: few('compact', 3) },
    { weight: 1, arbitrary: few('restore', 4, 1) },
    { weight: 2, arbitrary: few('cover', 4, 1) },
  ),
  { maxLength: 100 },
)

type Operation = typeof operations extends fc.Arbitrary<(infer T)[]> ? T : never

function run(model: PlainLog, operation: Operation): void {
  const { type, count } = operation
  if (type === 'append') model.append(Array.from({ length: count }, () => model.term))
  else if ('more' in operation) model.merge(count, operation.more)
  else if (type === 'commit') model.commitTo(count)
  else if (type === 'begin') model.beginWrite()
  else if (type === 'end') model.endWrite()
  else if (type === 'take') model.take(count)
  else if (type === 'compact') model.compact(count)
  else if (type === 'restore') model.restore(count)
  else model.cover(count)
}

describe('RaftLog, against a plain array and a plain disk', () => {
  it('holds what it was given, and says of the disk what a restart would find', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const model = new PlainLog()
        for (const operation of list) {
          run(model, operation)
          model.checkLog()
          model.checkDisk()
        }
      }),
      { numRuns: 300 },
    )
  })

  it('hands out everything committed once, in order, when all is written', () => {
    fc.assert(
      fc.property(operations, (list) => {
        const model = new PlainLog()
        for (const operation of list) run(model, operation)
        model.commitTo(1_000)
        for (let round = 0; round < 2; round++) {
          model.endWrite()
          model.beginWrite()
        }
        model.endWrite()
        for (let index = model.taken; index < model.last; index++) model.take(1)
        expect(model.taken).toBe(model.last)
        expect(model.log.durableIndex).toBe(model.last)
        expect(model.log.takeCommitted(1_000)).toEqual([])
      }),
    )
  })
})

describe('RaftLog, while a write is under way', () => {
  /** Entries 1 to 3 of term 1, of which 2 and 3 are being written. */
  function writing(): RaftLog {
    const log = new RaftLog({ index: 0n, term: 0n }, entriesOf([1n]))
    log.append(entriesOf([1n, 1n], 1n))
    expect(log.takeUnsaved().map(({ index }) => index)).toEqual([2n, 3n])
    expect(log.durableIndex).toBe(1n)
    return log
  }

  it('what is replaced is not on the disk when it ends', () => {
    const log = writing()
    log.merge(entriesOf([2n, 2n], 2n))
    log.saved()
    expect(log.durableIndex).toBe(2n)
    expect(log.takeUnsaved().map(({ index, term }) => [index, term])).toEqual([
      [3n, 2n],
      [4n, 2n],
    ])
    log.saved()
    expect(log.durableIndex).toBe(4n)
  })

  it('what is replaced twice, and shorter, is not either', () => {
    const log = writing()
    log.merge(entriesOf([2n, 2n, 2n], 1n))
    log.merge(entriesOf([3n], 3n))
    log.saved()
    expect(log.durableIndex).toBe(1n)
    expect(log.takeUnsaved().map(({ term }) => term)).toEqual([2n, 2n, 3n])
  })

  it('nothing of it counts after a snapshot of another log has come', () => {
    const log = writing()
    log.restore({ index: 2n, term: 5n, voters: [] })
    log.saved()
    expect(log).toMatchObject({ durableIndex: 2n, lastIndex: 2n })
  })

  it('a snapshot of more of the same log counts at once, and after it ended', () => {
    const log = writing()
    log.append(entriesOf([1n], 3n))
    log.cover(4n)
    expect(log.durableIndex).toBe(4n)
    log.saved()
    expect(log).toMatchObject({ durableIndex: 4n, commitIndex: 4n, takenIndex: 4n })
    expect(log.takeUnsaved().map(({ index }) => index)).toEqual([4n])
  })
})

describe('RaftLog, questions', () => {
  const terms = fc.array(fc.nat(3), { maxLength: 12 }).map((list) => {
    let term = 1n
    return list.map((step) => (term += BigInt(step === 3 ? 1 : 0)))
  })
  const logOf = (list: readonly bigint[], after = 0n) =>
    new RaftLog({ index: after, term: 1n }, entriesOf(list, after))

  it('lastAtOrBelow: nothing above it can match a log that has that term there', () => {
    fc.assert(
      fc.property(terms, fc.nat(15), fc.bigInt(0n, 6n), (list, at, term) => {
        const log = logOf(list, 2n)
        const index = BigInt(at)
        const found = log.lastAtOrBelow(index, term)
        const fits = list
          .map((each, position) => ({ index: BigInt(position + 3), term: each }))
          .filter((each) => each.index <= index && each.term <= term)
        expect(found).toBe(fits.at(-1)?.index ?? 2n)
      }),
    )
  })

  it('isCoveredBy: as the ends of both logs say, term first (Raft §5.4.1)', () => {
    fc.assert(
      fc.property(terms, terms, (ours, theirs) => {
        const [log, other] = [logOf(ours), logOf(theirs)]
        const isAhead =
          log.lastTerm > other.lastTerm ||
          (log.lastTerm === other.lastTerm && log.lastIndex > other.lastIndex)
        expect(log.isCoveredBy(other.lastIndex, other.lastTerm)).toBe(!isAhead)
      }),
    )
  })

  it('slice: entries that follow each other, one at least, and no more than fit', () => {
    const sizes = fc.array(fc.nat(50), { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(sizes, fc.nat(9), fc.nat(300), (list, skipped, bytesMax) => {
        const log = new RaftLog({ index: 0n, term: 0n }, [])
        const entries = list.map(
          (size, position): Entry => ({
            index: BigInt(position + 1),
            term: 1n,
            kind: 'data',
            payload: Buffer.alloc(size),
          }),
        )
        log.append(entries)
        const rest = entries.slice(skipped)
        const taken = log.slice(BigInt(skipped + 1), bytesMax)
        expect(taken).toEqual(rest.slice(0, taken.length))
        const bytes = (some: readonly Entry[]) =>
          some.reduce((sum, entry) => sum + entryBytes(entry), 0)
        if (taken.length > 1) expect(bytes(taken)).toBeLessThanOrEqual(bytesMax)
        const isMore = taken.length < rest.length
        if (isMore) expect(bytes(rest.slice(0, taken.length + 1))).toBeGreaterThan(bytesMax)
        if (rest.length > 0) expect(taken.length).toBeGreaterThan(0)
      }),
    )
  })
})

describe('RaftLog, bugs of whoever uses it', () => {
  const log = () => {
    const some = new RaftLog({ index: 2n, term: 1n }, entriesOf([1n, 2n, 2n], 2n))
    some.commitTo(4n)
    return some
  }

  it.each([
    ['a gap', (some: RaftLog) => some.append(entriesOf([2n], 6n)), 'leaves a gap'],
    ['a term that goes down', (some: RaftLog) => some.append(entriesOf([1n], 5n)), 'never go down'],
    [
      'a replaced commit',
      (some: RaftLog) => some.merge(entriesOf([9n], 3n)),
      'conflicts with a committed',
    ],
    ['a commit beyond the end', (some: RaftLog) => some.commitTo(6n), 'the log ends at 5'],
    ['compaction of what was not applied', (some: RaftLog) => some.compact(3n), 'was applied'],
    [
      'an old snapshot',
      (some: RaftLog) => some.restore({ index: 4n, term: 2n, voters: [] }),
      'older than what is committed',
    ],
    ['the end of no write', (some: RaftLog) => some.saved(), 'No write'],
    [
      'two writes at once',
      (some: RaftLog) => [some.takeUnsaved(), some.takeUnsaved()],
      'One write',
    ],
  ])('are noticed: %s', (_, use, message) => {
    expect(() => use(log())).toThrow(message)
  })

  it('are noticed: a stored log with a gap', () => {
    expect(() => new RaftLog({ index: 2n, term: 1n }, entriesOf([1n], 3n))).toThrow('has a gap')
  })
})
