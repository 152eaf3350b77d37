/** Rows on standard output as they come; waits when the reader is slower. */
import type { Failure } from './failure.ts'
import { print } from './output.ts'

const bufferBytes = 64 << 10

export class RowStream<Row> {
  readonly #line: (row: Row) => string | Buffer
  /** Of the one document that holds all rows; undefined where each stands for itself. */
  readonly #kind: string | undefined
  #parts: Buffer[] = []
  #bytes = 0
  #count = 0
  #isScheduled = false
  /** Until the reader has taken what was printed last. */
  #printing: Promise<void> | undefined

  /** `line` includes the end of the line, but in a document. */
  constructor(line: (row: Row) => string | Buffer, documentKind?: string) {
    this.#line = line
    this.#kind = documentKind
  }

  /** Undefined when there is no need to wait. */
  write(row: Row): Promise<void> | undefined {
    if (this.#kind !== undefined) this.#add(this.#count === 0 ? this.#head : ',\n')
    this.#count++
    this.#add(this.#line(row))
    if (this.#bytes >= bufferBytes) return this.#flush()
    if (!this.#isScheduled) {
      this.#isScheduled = true
      setImmediate(() => void this.#flush())
    }
    // Rows that come one by one never fill the buffer, and would pile up behind it.
    return this.#printing
  }

  /** A document that was begun is completed, with the failure in it. */
  async end(failure?: Failure): Promise<void> {
    if (this.#kind !== undefined && (failure === undefined || this.#count > 0)) {
      if (this.#count === 0) this.#add(this.#head)
      this.#add(`],"errors":${JSON.stringify(failure === undefined ? [] : [failure])}}\n`)
      if (failure !== undefined) failure.isInDocument = true
    }
    await this.#flush()
  }

  get #head(): string {
    return `{"apiVersion":"naru/v1","kind":"${this.#kind}","items":[`
  }

  #add(part: string | Buffer): void {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part
    this.#parts.push(bytes)
    this.#bytes += bytes.length
  }

  #flush(): Promise<void> {
    const data = Buffer.concat(this.#parts)
    this.#parts = []
    this.#bytes = 0
    this.#isScheduled = false
    const printing = print(data).then(() => {
      if (this.#printing === printing) this.#printing = undefined
    })
    this.#printing = printing
    return printing
  }
}
