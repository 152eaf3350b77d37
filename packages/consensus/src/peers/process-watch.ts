/**
 * Tells that the process of a broker is surely gone: it said farewell, or its kernel closed the stream and nobody answers there, or
 * another process does. A stream that merely broke, and silence, say nothing.
 */
import type { Address, Clock } from '@naru/base'
import type { Hello } from './frame.ts'
import type { LinkEnd } from './peer-link.ts'

/** After the close of the stream: right after a kill the first attempt may still be taken by the dying process. */
const probesMs = [5, 15] as const

export interface ProcessWatchOptions {
  readonly clock: Clock
  readonly greet: (address: Address) => Promise<Hello | LinkEnd>
  readonly onGone: (process: Hello) => void
}

export class ProcessWatch {
  readonly #options: ProcessWatchOptions

  constructor(options: ProcessWatchOptions) {
    this.#options = options
  }

  /** The last stream of `process` is over. */
  down(process: Hello, end: LinkEnd): void {
    if (end === 'goodbye') this.#options.onGone(process)
    else if (end !== 'lost') this.#probe(process, 0)
  }

  #probe(process: Hello, attempt: number): void {
    const { clock, greet, onGone } = this.#options
    const delayMs = probesMs[attempt]
    if (delayMs === undefined) {
      onGone(process)
      return
    }
    clock.setTimer(delayMs, () => {
      void greet(process).then((outcome) => {
        const isOther = typeof outcome === 'object'
        if (isOther && outcome.incarnationId !== process.incarnationId) onGone(process)
        else if (outcome === 'refused') this.#probe(process, attempt + 1)
      })
    })
  }
}
