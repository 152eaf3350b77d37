import { describe, expect, it } from 'vitest'
import { checkLinearizable, type Model, type Operation } from './linearizability.ts'
import {
  type RegisterInput,
  type RegisterOutput,
  registerModel,
  type TopicInput,
  type TopicOutput,
  type TopicState,
  topicModel,
} from './metadata-models.ts'
import { checkHistory, OperationHistory } from './operation-history.ts'
import { SeededRandom } from './seeded-random.ts'

type RegisterOperation = Operation<RegisterInput, RegisterOutput>

const read = (value: number): [RegisterInput, RegisterOutput] => [{ type: 'read' }, value]
const write = (value: number): [RegisterInput, RegisterOutput] => [{ type: 'write', value }, true]
const set = (from: number, to: number, isSet: boolean): [RegisterInput, RegisterOutput] => [
  { type: 'compareAndSet', from, to },
  isSet,
]

function ok<I, O>(invokedAt: number, returnedAt: number, [input, output]: [I, O]): Operation<I, O> {
  return { invokedAt, input, outcome: { kind: 'ok', returnedAt, output } }
}

function unknown<I>(invokedAt: number, [input]: readonly [I, unknown]): Operation<I, never> {
  return { invokedAt, input, outcome: { kind: 'unknown' } }
}

function failed<I>(invokedAt: number, [input]: readonly [I, unknown]): Operation<I, never> {
  return { invokedAt, input, outcome: { kind: 'failed' } }
}

const verdictOf = (...operations: RegisterOperation[]) =>
  checkLinearizable(registerModel, operations).kind

/** Tries every order of every choice of operations: right by being simple, for a handful of them. */
function bruteForce<S, I, O>(
  model: Model<S, I, O>,
  operations: readonly Operation<I, O>[],
): boolean {
  const rest = operations.filter(({ outcome }) => outcome.kind !== 'failed')
  const endOf = ({ outcome }: Operation<I, O>) =>
    outcome.kind === 'ok' ? outcome.returnedAt : Number.POSITIVE_INFINITY
  const explain = (state: S, left: readonly Operation<I, O>[]): boolean => {
    if (left.every(({ outcome }) => outcome.kind === 'unknown')) return true
    return left.some((next) => {
      if (left.some((other) => other !== next && endOf(other) < next.invokedAt)) return false
      const output = next.outcome.kind === 'ok' ? next.outcome.output : undefined
      const after = model.step(state, next.input, output)
      return (
        after !== undefined &&
        explain(
          after,
          left.filter((other) => other !== next),
        )
      )
    })
  }
  return explain(model.initial, rest)
}

describe('a register', () => {
  it.each<[string, RegisterOperation[]]>([
    ['nothing happened', []],
    ['one after the other', [ok(0, 1, write(1)), ok(2, 3, read(1)), ok(4, 5, set(1, 2, true))]],
    [
      'a read beside a write sees it or not',
      [ok(0, 9, write(1)), ok(1, 2, read(0)), ok(3, 4, read(1))],
    ],
    ['a read that ends when a write begins', [ok(0, 5, read(1)), ok(5, 6, write(1))]],
    [
      'an unknown write that happened',
      [unknown(0, write(1)), ok(5, 6, read(0)), ok(7, 8, read(1))],
    ],
    ['an unknown write that did not', [unknown(0, write(1)), ok(5, 6, read(0))]],
    ['a write that failed', [failed(0, write(1)), ok(5, 6, read(0))]],
    [
      'two unknown writes of the same value',
      [
        unknown(0, write(1)),
        unknown(1, write(1)),
        ok(2, 3, read(1)),
        ok(4, 5, write(2)),
        ok(6, 7, read(2)),
        ok(8, 9, read(1)),
      ],
    ],
    ['one of two wins', [ok(0, 5, set(0, 1, true)), ok(1, 4, set(0, 2, false)), ok(6, 7, read(1))]],
  ])('accepts: %s', (_, operations) => {
    expect(verdictOf(...operations)).toBe('linearizable')
    expect(bruteForce(registerModel, operations)).toBe(true)
  })

  it.each<[string, RegisterOperation[]]>([
    ['a stale read', [ok(0, 1, write(1)), ok(2, 3, read(0))]],
    ['a read from nowhere', [ok(0, 1, write(1)), ok(2, 3, read(7))]],
    ['new, then old', [ok(0, 9, write(1)), ok(1, 2, read(1)), ok(3, 4, read(0))]],
    ['both win', [ok(0, 5, set(0, 1, true)), ok(1, 4, set(0, 2, true))]],
    ['both lose', [ok(0, 5, set(0, 1, false)), ok(1, 4, set(0, 2, false))]],
    ['a failed write is read', [failed(0, write(1)), ok(5, 6, read(1))]],
    ['an unknown write is read before it was called', [ok(0, 1, read(1)), unknown(2, write(1))]],
    [
      'an unknown write happens twice',
      [unknown(0, write(1)), ok(2, 3, read(1)), ok(4, 5, write(2)), ok(6, 7, read(1))],
    ],
    [
      'two see two writes in different orders',
      [
        ok(0, 9, write(1)),
        ok(0, 9, write(2)),
        ok(1, 2, read(1)),
        ok(3, 4, read(2)),
        ok(5, 6, read(1)),
      ],
    ],
  ])('refuses: %s', (_, operations) => {
    expect(verdictOf(...operations)).toBe('violation')
    expect(bruteForce(registerModel, operations)).toBe(false)
  })

  it('says what it could not explain', () => {
    const verdict = checkLinearizable(registerModel, [ok(0, 1, write(1)), ok(2, 3, read(0))])
    expect(verdict).toMatchObject({
      detail: expect.stringContaining('in state 1 nothing explains {"type":"read"} -> 0'),
    })
  })

  it('is undecided when the steps do not suffice, never good', () => {
    const operations = Array.from({ length: 12 }, (_, value) => ok(0, 100, write(value)))
    const bad = [...operations, ok(101, 102, read(99))]
    expect(checkLinearizable(registerModel, bad, 200)).toEqual({ kind: 'undecided', steps: 201 })
    expect(checkLinearizable(registerModel, bad).kind).toBe('violation')
    const options = { objectOf: () => 'x', stepsMax: 200 }
    expect(checkHistory(registerModel, bad, options)).toMatchObject({
      violations: [],
      undecided: ['x'],
    })
  })
})

interface Workload<S, I, O> {
  readonly model: Model<S, I, O>
  draw(random: SeededRandom): I
  /** What a correct object answers, and its state then. */
  answer(state: S, input: I, random: SeededRandom): { state: S; output: O }
}

const registers: Workload<number, RegisterInput, RegisterOutput> = {
  model: registerModel,
  draw: (random) => {
    const type = random.pick(['read', 'write', 'compareAndSet'] as const)
    if (type === 'read') return { type }
    if (type === 'write') return { type, value: random.below(4) }
    return { type, from: random.below(4), to: random.below(4) }
  },
  answer: (state, input) => {
    if (input.type === 'read') return { state, output: state }
    if (input.type === 'write') return { state: input.value, output: true }
    const isSet = state === input.from
    return { state: isSet ? input.to : state, output: isSet }
  },
}

const topics: Workload<TopicState, TopicInput, TopicOutput> = {
  model: topicModel,
  draw: (random) => {
    const name = `t${random.below(20)}`
    const type = random.pick([
      'create',
      'create',
      'delete',
      'describe',
      'describe',
      'addPartitions',
      'setConfig',
      'appendConfig',
      'readConfig',
    ] as const)
    const key = random.pick(['k', 'l'])
    const value = `v${random.below(3)}`
    if (type === 'create') return { type, name, partitions: 1 + random.below(2) }
    if (type === 'addPartitions') return { type, name, count: 1 + random.below(6) }
    if (type === 'setConfig' || type === 'appendConfig') return { type, name, key, value }
    if (type === 'readConfig') return { type, name, key }
    return { type, name }
  },
  answer: answerAboutTopic,
}

/** Written apart from the model: the object keeps a map, and answers what Kafka would. */
function answerAboutTopic(state: TopicState, input: TopicInput, random: SeededRandom) {
  const { topic, gone } = state
  const say = (output: TopicOutput, next: TopicState = state) => ({ state: next, output })
  if (topic === undefined) {
    if (input.type !== 'create') return say({ type: 'unknownTopic' })
    const made = { id: `id${random.uint32()}`, partitions: input.partitions }
    return say({ type: 'created', ...made }, { topic: { ...made, configs: {} }, gone })
  }
  if (input.type === 'create') return say({ type: 'alreadyExists' })
  if (input.type === 'delete') return say({ type: 'done' }, { topic: undefined, gone })
  if (input.type === 'describe') {
    return say({ type: 'topic', id: topic.id as string, partitions: topic.partitions })
  }
  if (input.type === 'addPartitions') {
    if (input.count <= topic.partitions) return say({ type: 'notMore' })
    return say({ type: 'done' }, { topic: { ...topic, partitions: input.count }, gone })
  }
  const present = topic.configs[input.key]
  if (input.type === 'readConfig') return say({ type: 'config', value: present })
  const items = present === undefined || input.type === 'setConfig' ? [] : present.split(',')
  const value = items.includes(input.value) ? items.join() : [...items, input.value].join()
  const configs = { ...topic.configs, [input.key]: value }
  return say({ type: 'done' }, { topic: { ...topic, configs }, gone })
}

/** What `clients` see of a correct object: each operation takes effect at some moment while it runs, those that are given up maybe later, maybe never. */
function generate<S, I, O>(
  load: Workload<S, I, O>,
  random: SeededRandom,
  size: { operations: number; clients: number; objectOf: (input: I) => string; unknown: number },
): Operation<I, O>[] {
  const states = new Map<string, S>()
  const free = Array.from({ length: size.clients }, () => 0)
  const planned = Array.from({ length: size.operations }, () => {
    const client = random.below(size.clients)
    const invokedAt = (free[client] as number) + random.below(20) + 1
    const returnedAt = invokedAt + 1 + random.below(50)
    free[client] = returnedAt
    const isUnknown = random.chance(size.unknown)
    const span = isUnknown ? 400 : returnedAt - invokedAt
    const happens = isUnknown && random.chance(0.5) ? Infinity : random.below(span * 16) / 16
    return { input: load.draw(random), invokedAt, returnedAt, isUnknown, at: invokedAt + happens }
  })
  const done: Operation<I, O>[] = []
  for (const each of planned.sort((a, b) => a.at - b.at)) {
    const { input, invokedAt, returnedAt, isUnknown, at } = each
    const name = size.objectOf(input)
    const before = states.get(name) ?? load.model.initial
    if (at === Infinity) {
      const kind = random.chance(0.5) ? 'failed' : 'unknown'
      done.push({ invokedAt, input, outcome: { kind } })
      continue
    }
    const { state, output } = load.answer(before, input, random)
    states.set(name, state)
    done.push({
      invokedAt,
      input,
      outcome: isUnknown ? { kind: 'unknown' } : { kind: 'ok', returnedAt, output },
    })
  }
  return done
}

/** Spoils a good history in one of the ways in which systems fail. */
function corrupt<I, O>(
  history: readonly Operation<I, O>[],
  random: SeededRandom,
): Operation<I, O>[] {
  const at = random.below(history.length)
  const other = random.below(history.length)
  const one = history[at] as Operation<I, O>
  const two = history[other] as Operation<I, O>
  const without = history.filter((each) => each !== one)
  switch (random.below(5)) {
    case 0: // An effect without its operation.
      return without
    case 1: // It happened once more, much later.
      return one.outcome.kind === 'ok'
        ? [...history, { ...one, invokedAt: 900, outcome: { ...one.outcome, returnedAt: 901 } }]
        : [...history]
    case 2: // Beyond real time: one is said to have been where the other was.
      return one.outcome.kind === 'ok' && two.outcome.kind === 'ok'
        ? [
            ...without,
            {
              ...one,
              invokedAt: two.invokedAt,
              outcome: { ...one.outcome, returnedAt: two.outcome.returnedAt },
            },
          ]
        : without
    case 3: // An answer of another time.
      return one.outcome.kind === 'ok' && two.outcome.kind === 'ok'
        ? [...without, { ...one, outcome: { ...one.outcome, output: two.outcome.output } }]
        : without
    default: // It is said to have failed.
      return [...without, { ...one, outcome: { kind: 'failed' } }]
  }
}

describe.each([
  ['registers', registers as unknown as Workload<unknown, unknown, unknown>],
  ['topics', topics as unknown as Workload<unknown, unknown, unknown>],
])('random histories of %s', (_, load) => {
  const one = () => 'one'

  it('are accepted when the object is correct', () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = new SeededRandom(seed)
      const size = {
        operations: 40,
        clients: 5,
        objectOf: one,
        unknown: random.pick([0, 0.1, 0.3]),
      }
      const verdict = checkLinearizable(load.model, generate(load, random, size))
      expect(verdict, `seed ${seed}`).toMatchObject({ kind: 'linearizable' })
    }
  })

  it('are judged like brute force judges them when they are spoilt', () => {
    const counts = { linearizable: 0, violation: 0, undecided: 0 }
    for (let seed = 1; seed <= 3_000; seed++) {
      const random = new SeededRandom(seed)
      const size = { operations: 7, clients: 3, objectOf: one, unknown: random.pick([0, 0.3]) }
      const history = corrupt(generate(load, random, size), random)
      const { kind } = checkLinearizable(load.model, history)
      const isGood = bruteForce(load.model, history)
      expect(kind, `seed ${seed}`).toBe(isGood ? 'linearizable' : 'violation')
      counts[kind]++
    }
    expect(counts.violation).toBeGreaterThan(500)
    expect(counts.linearizable).toBeGreaterThan(500)
  })
})

describe('a history', () => {
  it('knows what came first, and what it was not told', () => {
    const history = new OperationHistory<RegisterInput, RegisterOutput>()
    const first = history.invoke({ type: 'write', value: 1 })
    history.invoke({ type: 'write', value: 2 })
    const third = history.invoke({ type: 'write', value: 3 })
    first.ok(true)
    third.failed()
    history.invoke({ type: 'read' }).ok(2)
    const kinds = history.operations.map(({ outcome }) => outcome.kind)
    expect(kinds).toEqual(['ok', 'unknown', 'failed', 'ok'])
    const options = { objectOf: () => 'x' }
    expect(checkHistory(registerModel, history.operations, options).violations).toEqual([])
    history.invoke({ type: 'read' }).ok(1)
    expect(checkHistory(registerModel, history.operations, options).violations).toHaveLength(1)
  })

  it('of 10 clients, 1,000 operations and 20 topics is checked, topic by topic', () => {
    const size = {
      operations: 1_000,
      clients: 10,
      objectOf: (input: TopicInput) => input.name,
      unknown: 0.05,
    }
    const history = generate(topics, new SeededRandom(1), size)
    const verdict = checkHistory(topicModel, history, size)
    expect(verdict).toMatchObject({ objects: 20, violations: [], undecided: [] })
    expect(verdict.steps).toBeLessThan(50_000)
    const wrong = history.map((each) =>
      each.outcome.kind === 'ok' && each.outcome.output.type === 'topic' && each.input.name === 't3'
        ? { ...each, outcome: { ...each.outcome, output: { type: 'unknownTopic' as const } } }
        : each,
    )
    const { violations, undecided } = checkHistory(topicModel, wrong, size)
    expect([violations.map(({ object }) => object), undecided]).toEqual([['t3'], []])
  })
})
