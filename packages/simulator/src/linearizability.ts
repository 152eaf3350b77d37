/**
 * Whether a history of concurrent operations is one that a single object could have shown, each operation taking effect at once,
 * between its call and its return (Herlihy and Wing 1990). The search is that of Wing and Gong (1993) with the memory of Lowe (2017):
 * what was tried with the same operations done and the same state is not tried again.
 */

/** One operation. Times are numbers that grow with what happens; an operation that returns when another begins is concurrent to it. */
export interface Operation<I, O> {
  readonly invokedAt: number
  readonly input: I
  readonly outcome:
    | { readonly kind: 'ok'; readonly returnedAt: number; readonly output: O }
    /** It surely has no effect. */
    | { readonly kind: 'failed' }
    /** It may take effect at any time after its call, or never. */
    | { readonly kind: 'unknown' }
}

/** The object: a state, and what an operation makes of it. */
export interface Model<S, I, O> {
  readonly initial: S
  /** The next state, or undefined when `output` is no answer to `input` here. Without an output: whatever it was. */
  step(state: S, input: I, output: O | undefined): S | undefined
  /** Equal for equal states only. */
  keyOf(state: S): string
  /** Never changes the state: when its outcome is unknown it says nothing. */
  isRead(input: I): boolean
}

export type Verdict =
  | { readonly kind: 'linearizable'; readonly steps: number }
  | { readonly kind: 'violation'; readonly steps: number; readonly detail: string }
  /** Not found out within the steps that were given: neither good nor bad. */
  | { readonly kind: 'undecided'; readonly steps: number }

interface Entry<I, O> {
  /** Place of its operation among those that count: the certain ones first. */
  readonly index: number
  readonly input: I
  readonly output: O | undefined
  /** For a call: its return, if it has one. */
  readonly match: Entry<I, O> | undefined
  readonly isCall: boolean
  /** In the order of time. */
  place: number
  /** An earlier operation, also unknown, that asks the same: this one is of use only after that. */
  readonly twin: number | undefined
  before: Entry<I, O> | undefined
  after: Entry<I, O> | undefined
}

/** Checks one object. `stepsMax`: transitions of the model that may be tried, which bounds time and memory. */
export function checkLinearizable<S, I, O>(
  model: Model<S, I, O>,
  operations: readonly Operation<I, O>[],
  stepsMax = 1_000_000,
): Verdict {
  return new Search(model, operations).run(stepsMax)
}

class Search<S, I, O> {
  readonly #model: Model<S, I, O>
  /** Calls and returns by time, after an entry that is none. */
  readonly #certain: Entry<I, O>
  /** Calls whose outcome is not known: tried after the certain ones, since most of what they could explain needs no explanation. */
  readonly #uncertain: Entry<I, O>
  readonly #done: DoneSet
  #certainLeft: number
  #state: S
  readonly #path: { readonly call: Entry<I, O>; readonly stateBefore: S }[] = []
  readonly #seen = new Set<string>()
  #steps = 0
  #longest = { length: -1, detail: '' }

  constructor(model: Model<S, I, O>, operations: readonly Operation<I, O>[]) {
    this.#model = model
    this.#state = model.initial
    const { certain, uncertain, count, certainCount } = entriesOf(model, operations)
    this.#certain = certain
    this.#uncertain = uncertain
    this.#done = new DoneSet(count)
    this.#certainLeft = certainCount
  }

  run(stepsMax: number): Verdict {
    let entry = this.#certain.after
    while (this.#certainLeft > 0) {
      if (this.#steps > stepsMax) return { kind: 'undecided', steps: this.#steps }
      if (entry?.isCall === false) {
        // Whoever returns here must have taken effect by now: perhaps after something that nobody was told of.
        this.#noteDeadEnd(entry)
        entry = this.#uncertain.after
      }
      if (entry !== undefined && this.#hasBegun(entry)) {
        entry = this.#take(entry) ? this.#certain.after : entry.after
        continue
      }
      // Some choice before was wrong.
      const last = this.#path.pop()
      if (last === undefined) return this.#violation()
      this.#undo(last)
      entry = last.call.after
    }
    return { kind: 'linearizable', steps: this.#steps }
  }

  /** Called before the first return of what has not taken effect. */
  #hasBegun({ place }: Entry<I, O>): boolean {
    let first = this.#certain.after
    while (first?.isCall === true) first = first.after
    return place < (first?.place ?? Number.POSITIVE_INFINITY)
  }

  /** Lets an operation take effect now, if it can and that has not been tried. */
  #take(call: Entry<I, O>): boolean {
    const { input, output, twin, match, index } = call
    if (twin !== undefined && !this.#done.has(twin)) return false
    this.#steps++
    const next = this.#model.step(this.#state, input, output)
    if (next === undefined) return false
    const stateKey = this.#model.keyOf(next)
    // Without an answer to explain, an operation that changes nothing need not have happened.
    if (match === undefined && stateKey === this.#model.keyOf(this.#state)) return false
    this.#done.add(index)
    const key = `${this.#done.key}|${stateKey}`
    if (this.#seen.has(key)) {
      this.#done.remove(index)
      return false
    }
    this.#seen.add(key)
    this.#path.push({ call, stateBefore: this.#state })
    this.#state = next
    if (match !== undefined) this.#certainLeft--
    lift(call)
    if (match !== undefined) lift(match)
    return true
  }

  #undo({ call, stateBefore }: { call: Entry<I, O>; stateBefore: S }): void {
    this.#state = stateBefore
    this.#done.remove(call.index)
    if (call.match !== undefined) {
      this.#certainLeft++
      putBack(call.match)
    }
    putBack(call)
  }

  #noteDeadEnd(entry: Entry<I, O>): void {
    if (this.#path.length <= this.#longest.length) return
    const taken = this.#path.slice(-6).map(({ call }) => describe(call))
    const detail = `after ${this.#path.length} operations (… ${taken.join('; ')}) in state ${this.#model.keyOf(this.#state)} nothing explains ${describe(entry)}`
    this.#longest = { length: this.#path.length, detail }
  }

  #violation(): Verdict {
    return { kind: 'violation', steps: this.#steps, detail: this.#longest.detail }
  }
}

function describe<I, O>({ input, output }: Entry<I, O>): string {
  return `${JSON.stringify(input)} -> ${output === undefined ? '?' : JSON.stringify(output)}`
}

function lift<I, O>(entry: Entry<I, O>): void {
  if (entry.before !== undefined) entry.before.after = entry.after
  if (entry.after !== undefined) entry.after.before = entry.before
}

/** The reverse of the last {@link lift} that is not reversed yet: the neighbours are as they were then. */
function putBack<I, O>(entry: Entry<I, O>): void {
  if (entry.before !== undefined) entry.before.after = entry
  if (entry.after !== undefined) entry.after.before = entry
}

function entriesOf<S, I, O>(model: Model<S, I, O>, operations: readonly Operation<I, O>[]) {
  const certain = operations.filter(({ outcome }) => outcome.kind === 'ok')
  const uncertain = operations.filter(
    ({ outcome, input }) => outcome.kind === 'unknown' && !model.isRead(input),
  )
  const byCall = (a: Operation<I, O>, b: Operation<I, O>) => a.invokedAt - b.invokedAt
  const entries: Entry<I, O>[] = []
  const twins = new Map<string, number>()
  const ordered = [...certain.sort(byCall), ...uncertain.sort(byCall)]
  for (const [index, { invokedAt, input, outcome }] of ordered.entries()) {
    const isCertain = outcome.kind === 'ok'
    const output = isCertain ? outcome.output : undefined
    const asked = JSON.stringify(input)
    const twin = isCertain ? undefined : twins.get(asked)
    if (!isCertain) twins.set(asked, index)
    const shared = { index, input, output, twin, before: undefined, after: undefined }
    const match = isCertain
      ? { ...shared, place: outcome.returnedAt, match: undefined, isCall: false }
      : undefined
    entries.push({ ...shared, place: invokedAt, match, isCall: true })
    if (match !== undefined) entries.push(match)
  }
  // At one moment everybody calls before anybody returns.
  entries.sort((a, b) => a.place - b.place || Number(b.isCall) - Number(a.isCall))
  for (const [place, entry] of entries.entries()) entry.place = place
  return {
    certain: linked(entries.filter(({ index }) => index < certain.length)),
    uncertain: linked(entries.filter(({ index }) => index >= certain.length)),
    count: ordered.length,
    certainCount: certain.length,
  }
}

function linked<I, O>(entries: readonly Entry<I, O>[]): Entry<I, O> {
  const head = { isCall: true, index: -1 } as Entry<I, O>
  let last = head
  for (const entry of entries) {
    last.after = entry
    entry.before = last
    last = entry
  }
  return head
}

/** Which operations have taken effect. Those that began first are done first, so only the end of the set differs. */
class DoneSet {
  readonly #words: Uint32Array

  constructor(count: number) {
    this.#words = new Uint32Array(Math.ceil(count / 32))
  }

  has(index: number): boolean {
    return ((this.#words[index >>> 5] as number) & (1 << (index & 31))) !== 0
  }

  add(index: number): void {
    this.#words[index >>> 5] = (this.#words[index >>> 5] as number) | (1 << (index & 31))
  }

  remove(index: number): void {
    this.#words[index >>> 5] = (this.#words[index >>> 5] as number) & ~(1 << (index & 31))
  }

  get key(): string {
    const words = this.#words
    let first = 0
    while (first < words.length && words[first] === 0xffffffff) first++
    let end = words.length
    while (end > first && words[end - 1] === 0) end--
    let key = `${first}`
    for (let at = first; at < end; at++) key += `.${(words[at] as number).toString(36)}`
    return key
  }
}
