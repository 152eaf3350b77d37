/**
 * Tells that the process of a broker is surely gone: it said farewell, or its kernel closed the stream and nobody answers there, or
 * another process does. A stream that merely broke, and silence, say nothing.
 */
import type { Clock } from '@naru/base'
import type { Hello } from './frame.ts'
import type { LinkEnd } from './peer-link.ts'

/** After the close of the stream: right after a kill the first attempt may still be taken by the dying process. */
const probesMs = [5, 15] as const

export interface ProcessWatchOptions {
  readonly clock: Clock
  /** Who answers at the address of a process's node now. */
  readonly greet: (peer: Hello) => Promise<Hello | LinkEnd>
  readonly onGone: (peer: Hello) => void
}

export class ProcessWatch {
  readonly #options: ProcessWatchOptions

  constructor(options: ProcessWatchOptions) {
    this.#options = options
  }

  /** The last stream of that process is over. */
  down(peer: Hello, end: LinkEnd): void {
    if (end === 'goodbye') this.#options.onGone(peer)
    else if (end !== 'lost') this.#probe(peer, 0)
  }

  #probe(peer: Hello, attempt: number): void {
    const { clock, greet, onGone } = this.#options
    const delayMs = probesMs[attempt]
    if (delayMs === undefined) {
      onGone(peer)
      return
    }
    clock.setTimer(delayMs, () => {
      void greet(peer).then((outcome) => {
        const isAnswered = typeof outcome === 'object'
        if (isAnswered && outcome.incarnationId !== peer.incarnationId) onGone(peer)
        else if (outcome === 'refused') this.#probe(peer, attempt + 1)
      })
    })
  }
}
