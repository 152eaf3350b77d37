/** One stream to another broker: says who speaks, then puts together what is to be said in one turn of the event loop. */
import {
  type Clock,
  DecodeError,
  type MessageStream,
  type StreamClose,
  type Timer,
} from '@naru/base'
import { type Frame, frameFromWire, frameToWire, type Hello } from './frame.ts'
import { FrameOutbox } from './frame-outbox.ts'

/** Who does not introduce himself in this time is not running. */
const helloMs = 2_000
/** A frame that holds this much does not wait for the end of the turn. */
const frameBytes = 4 << 20

export type LinkEnd = StreamClose | 'goodbye'

export interface LinkEvents {
  /** The other side has introduced itself; false refuses it. */
  hello(link: PeerLink, hello: Hello): boolean
  frame(link: PeerLink, frame: Frame): void
  close(link: PeerLink, end: LinkEnd): void
}

export interface LinkOptions {
  readonly stream: MessageStream
  readonly clock: Clock
  readonly self: () => Hello
  /** This side has opened the stream, and speaks first. */
  readonly isOpener: boolean
  readonly events: LinkEvents
}

export class PeerLink {
  readonly #options: LinkOptions
  #peer: Hello | undefined
  readonly #outbox = new FrameOutbox({ items: 4_096, bytes: 4 * frameBytes })
  #isScheduled = false
  #isBlocked = false
  #isOver = false
  #isRetired = false
  #saidGoodbye = false
  readonly #helloTimer: Timer

  constructor(options: LinkOptions) {
    this.#options = options
    const { stream, clock, isOpener, self } = options
    this.#helloTimer = clock.setTimer(helloMs, () => stream.reset())
    stream.handle({
      message: (message) => this.#receive(message),
      drain: () => {
        this.#isBlocked = false
        this.#flush()
      },
      close: (reason) => this.#close(reason),
    })
    if (isOpener) stream.send(frameToWire({ hello: self() }))
  }

  /** Known after it has introduced itself. */
  get peer(): Hello | undefined {
    return this.#peer
  }

  get isOpener(): boolean {
    return this.#options.isOpener
  }

  /** Another link has taken its place: what is said here may not arrive. */
  get isRetired(): boolean {
    return this.#isRetired
  }

  /** Adds to what is said at the end of this turn. */
  post(frame: Frame): void {
    if (this.#isOver) return
    this.#outbox.add(frame)
    if (this.#outbox.bytes >= frameBytes) this.#flush()
    else this.#schedule()
  }

  /** Says farewell: the silence that follows is no failure. */
  end(): void {
    if (this.#isOver) return
    this.#outbox.add({ isGoodbye: true })
    this.#isBlocked = false
    this.#flush()
    this.#options.stream.end()
  }

  /** Closes a link that another one to the same process has replaced. */
  retire(): void {
    this.#flush()
    this.#isRetired = true
    this.#options.stream.end()
  }

  /** What it was to say and has not, now that it is closed. */
  unsaid(): Frame | undefined {
    return this.#outbox.take()
  }

  reset(): void {
    this.#options.stream.reset()
  }

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    this.#options.clock.afterTurn(() => {
      this.#isScheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#isOver || this.#isRetired || this.#isBlocked || this.#peer === undefined) return
    const frame = this.#outbox.take()
    if (frame !== undefined) this.#isBlocked = !this.#options.stream.send(frameToWire(frame))
  }

  #receive(message: object): void {
    if (this.#isOver) return
    try {
      const frame = frameFromWire(message)
      if (this.#peer === undefined && !this.#greet(frame.hello)) return
      if (frame.isGoodbye === true) this.#saidGoodbye = true
      this.#options.events.frame(this, frame)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.reset()
    }
  }

  #greet(hello: Hello | undefined): boolean {
    const { stream, self, isOpener, events } = this.#options
    if (hello === undefined) throw new DecodeError('A stream that does not begin with a hello')
    // Before it may be refused: the other side learns why from who is here.
    if (!isOpener) stream.send(frameToWire({ hello: self() }))
    this.#helloTimer.cancel()
    this.#peer = hello
    if (!events.hello(this, hello)) {
      stream.end()
      return false
    }
    this.#flush()
    return true
  }

  #close(reason: StreamClose): void {
    this.#isOver = true
    this.#helloTimer.cancel()
    this.#options.events.close(this, this.#saidGoodbye ? 'goodbye' : reason)
  }
}
