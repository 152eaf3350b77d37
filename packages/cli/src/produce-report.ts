/** What became of the lines: written where, refused why, unknown. */
import { NaruError, type Sent } from '@naru/client'
import type { Failure } from './failure.ts'
import { counted } from './style.ts'

export interface WrittenRange {
  readonly topic: string
  readonly partition: number
  readonly records: bigint
  readonly first: bigint
  readonly last: bigint
}

interface LostLine {
  readonly line: number
  readonly failure: Failure
  /** The answer did not come: the broker may have written it all the same. */
  readonly isUnknown: boolean
}

const namedLines = 10

export class ProduceReport {
  readonly #ranges = new Map<number, WrittenRange>()
  readonly #lost: LostLine[] = []
  /** Lines that were read. */
  read = 0

  get written(): number {
    return [...this.#ranges.values()].reduce((sum, { records }) => sum + Number(records), 0)
  }

  get ranges(): WrittenRange[] {
    return [...this.#ranges.values()].sort((a, b) => a.partition - b.partition)
  }

  get errors(): readonly Record<string, unknown>[] {
    return this.#lost.map(({ line, failure, isUnknown }) => {
      const outcome = isUnknown ? 'perhaps written' : 'not written'
      return { line: String(line), ...failure.toJSON(), outcome }
    })
  }

  sent({ topic, partition, offset }: Sent): void {
    const { records, first } = this.#ranges.get(partition) ?? { records: 0n, first: offset }
    this.#ranges.set(partition, { topic, partition, records: records + 1n, first, last: offset })
  }

  /** Gives the failure as it is told of that line. */
  lose(line: number, failure: Failure): Failure {
    const isUnknown = NaruError.is(failure.cause) && failure.cause.outcome !== 'not-applied'
    const message = failure.message.replace(/^Cannot write/, `Cannot write line ${line}`)
    const numbered = failure.rephrased(message, {})
    this.#lost.push({ line, failure: numbered, isUnknown })
    return numbered
  }

  /** The failure of the whole, when a line was lost: the first one's, with what became of the others. */
  failure(inputName: string): Failure | undefined {
    const [first] = this.#lost.sort((a, b) => a.line - b.line)
    if (first === undefined) return undefined
    const { line, failure } = first
    const where = [`line ${line} of ${inputName}`, failure.where].filter(Boolean).join('; ')
    return failure.rephrased(failure.message, { where, outcome: this.#outcome() })
  }

  #outcome(): string {
    const refused = this.#lost.filter((each) => !each.isUnknown)
    const unknown = this.#lost.filter((each) => each.isUnknown)
    const parts = [`${counted(this.read, 'line')} read, ${this.written} written`]
    if (refused.length > 0) parts.push(`not written: ${numbersOf(refused)}`)
    if (unknown.length > 0) parts.push(`perhaps written: ${numbersOf(unknown)}`)
    return `${parts.join('; ')}; nothing after line ${this.read} was sent`
  }
}

function numbersOf(lost: readonly LostLine[]): string {
  const named = lost.slice(0, namedLines).map(({ line }) => line)
  const more = lost.length > namedLines ? ` and ${lost.length - namedLines} more` : ''
  return `${lost.length === 1 ? 'line' : 'lines'} ${named.join(', ')}${more}`
}
