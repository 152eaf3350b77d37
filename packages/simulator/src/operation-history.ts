/** What clients asked and were answered, in order, and its check: objects that do not touch each other are checked one by one. */
import { checkLinearizable, type Model, type Operation, type Verdict } from './linearizability.ts'

interface Recorded<I, O> {
  readonly invokedAt: number
  readonly input: I
  outcome: Operation<I, O>['outcome']
}

/** Settles one operation, once. */
export interface Call<O> {
  ok(output: O): void
  /** It surely had and will have no effect. */
  failed(): void
}

export class OperationHistory<I, O> {
  readonly #operations: Recorded<I, O>[] = []
  /** A moment of its own for each call and return: what happened first is known better than by the clock. */
  #moment = 0

  get operations(): readonly Operation<I, O>[] {
    return this.#operations
  }

  /** Until it is settled its outcome is unknown. */
  invoke(input: I): Call<O> {
    const recorded: Recorded<I, O> = {
      invokedAt: this.#moment++,
      input,
      outcome: { kind: 'unknown' },
    }
    this.#operations.push(recorded)
    return {
      ok: (output) => {
        recorded.outcome = { kind: 'ok', returnedAt: this.#moment++, output }
      },
      failed: () => {
        recorded.outcome = { kind: 'failed' }
      },
    }
  }
}

export interface HistoryVerdict {
  readonly operations: number
  readonly objects: number
  readonly steps: number
  readonly violations: readonly { readonly object: string; readonly detail: string }[]
  /** Objects for which the steps did not suffice. A history is good only when there are none. */
  readonly undecided: readonly string[]
}

/** Checks each object that `objectOf` tells apart; `stepsMax` is for each of them. */
export function checkHistory<S, I, O>(
  model: Model<S, I, O>,
  operations: readonly Operation<I, O>[],
  options: { readonly objectOf: (input: I) => string; readonly stepsMax?: number },
): HistoryVerdict {
  const objects = Map.groupBy(operations, ({ input }) => options.objectOf(input))
  const violations: { object: string; detail: string }[] = []
  const undecided: string[] = []
  let steps = 0
  for (const [object, own] of objects) {
    const verdict: Verdict = checkLinearizable(model, own, options.stepsMax)
    steps += verdict.steps
    if (verdict.kind === 'violation') violations.push({ object, detail: verdict.detail })
    if (verdict.kind === 'undecided') undecided.push(object)
  }
  return { operations: operations.length, objects: objects.size, steps, violations, undecided }
}
