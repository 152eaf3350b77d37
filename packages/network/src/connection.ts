/**
 * One client connection. Answers leave in the order of their requests. Requests that came are bounded in number and bytes: beyond
 * that the socket is not read, and the client waits. A client that does not read its answers gets no further ones.
 */
import { type ByteSocket, type Clock, DecodeError, type Logger } from '@naru/base'
import { FrameSplitter } from '@naru/protocol'
import type { Dispatch, Dispatcher, Outcome } from './dispatcher.ts'
import { closeConnection, type RequestContext } from './handler.ts'

const requestsMax = 128
const queuedAnswerBytesMax = 4 << 20

interface Slot {
  readonly dispatch: Dispatch
  readonly bytes: number
  state: 'waiting' | 'started' | 'done'
  outcome: Outcome
}

export interface ConnectionOptions {
  readonly socket: ByteSocket
  readonly dispatcher: Dispatcher
  readonly clock: Pick<Clock, 'afterTurn'>
  readonly logger: Logger
  readonly id: number
  readonly listener: string
  readonly requestBytesMax: number
  /** Bytes of requests in work that this connection may hold. */
  readonly inWorkBytesMax: number
  readonly onClose: () => void
}

export class Connection {
  readonly #options: ConnectionOptions
  readonly #splitter: FrameSplitter
  /** What has come and is not split yet: chunks, and the frames of the one before them. */
  readonly #chunks: Buffer[] = []
  #frames: Iterator<Buffer> | undefined
  /** In order of arrival. */
  readonly #slots: Slot[] = []
  #inWorkBytes = 0
  #isPaused = false
  #isBlocked = false
  #isClosed = false
  #isEnding = false
  #flushScheduled = false
  #isContinuing = false
  readonly #closeCallbacks = new Set<() => void>()
  /** Grows with each request and each byte taken by the client: the listener closes connections where it stands still. */
  activity = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#splitter = new FrameSplitter(options.requestBytesMax)
    options.socket.handle({
      data: (chunk) => this.#receive(chunk),
      drain: () => this.#drained(),
      close: () => this.#closed(),
    })
  }

  get remoteHost(): string {
    return this.#options.socket.remote.host
  }

  /** The client has requests in work or answers that it has not taken. */
  get isBusy(): boolean {
    return this.#slots.length > 0 || this.#isBlocked
  }

  /** Its answers wait for it to read them. */
  get isStalled(): boolean {
    return this.#isBlocked
  }

  /** Answers what has come, long polls at once, then closes. */
  end(): void {
    this.#isEnding = true
    this.#options.socket.pause()
    if (this.#slots.length === 0) this.#options.socket.end()
    this.#tellClosing()
  }

  reset(): void {
    this.#options.socket.reset()
  }

  #receive(chunk: Buffer): void {
    if (this.#isClosed || this.#isEnding) return
    this.activity++
    this.#chunks.push(chunk)
    this.#continue()
  }

  /** Takes requests out of what has come, as many as may be in work. */
  #takeFrames(): void {
    try {
      while (!this.#isFull && !this.#isEnding) {
        const next = this.#frames?.next()
        if (next !== undefined && next.done !== true) {
          this.#accept(next.value)
          continue
        }
        const chunk = this.#chunks.shift()
        this.#frames = chunk === undefined ? undefined : this.#splitter.push(chunk)
        if (chunk === undefined) return
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.#refuse(error)
    }
  }

  #accept(frame: Buffer): void {
    const dispatch = this.#options.dispatcher.prepare(frame)
    this.#slots.push({ dispatch, bytes: frame.length, state: 'waiting', outcome: undefined })
    this.#inWorkBytes += frame.length
  }

  /** Kafka's answer to bytes that make no sense is to close the connection, once what came before them is answered. */
  #refuse(error: DecodeError): void {
    this.#options.logger.warn('connection-refused', {
      client: this.remoteHost,
      listener: this.#options.listener,
      reason: error.message,
    })
    if (this.#slots.length === 0) this.#options.socket.reset()
    else this.end()
  }

  #startWaiting(): void {
    let hasEarlierStarted = false
    let hasEarlierSerial = false
    for (const slot of this.#slots) {
      if (this.#isBlocked || this.#isClosed) return
      const isPipelined = slot.dispatch.isPipelined
      if (slot.state === 'waiting') {
        if (isPipelined ? hasEarlierSerial : hasEarlierStarted) return
        this.#start(slot)
      }
      if (slot.state !== 'done') {
        hasEarlierStarted = true
        if (!isPipelined) hasEarlierSerial = true
      }
    }
  }

  #start(slot: Slot): void {
    slot.state = 'started'
    const outcome = slot.dispatch.start(this.#context)
    if (outcome instanceof Promise) {
      outcome.then(
        (value) => this.#finish(slot, value),
        () => this.#finish(slot, closeConnection),
      )
    } else {
      slot.state = 'done'
      slot.outcome = outcome
      this.#scheduleFlush()
    }
  }

  #finish(slot: Slot, outcome: Outcome): void {
    slot.state = 'done'
    slot.outcome = outcome
    this.#scheduleFlush()
  }

  get #context(): Omit<RequestContext, 'apiVersion' | 'clientId'> {
    const { id, listener } = this.#options
    return {
      connectionId: id,
      listener,
      clientHost: this.remoteHost,
      onClose: (callback) => {
        if (this.#isClosed || this.#isEnding) callback()
        else this.#closeCallbacks.add(callback)
      },
    }
  }

  /** Answers that become ready in the same moment leave in one write. */
  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#isClosed) return
    this.#flushScheduled = true
    queueMicrotask(() => {
      this.#flushScheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#isClosed) return
    const chunks: Buffer[] = []
    while (this.#slots[0]?.state === 'done') {
      const slot = this.#slots.shift() as Slot
      this.#inWorkBytes -= slot.bytes
      if (slot.outcome === closeConnection) {
        this.#send(chunks)
        this.#options.socket.end()
        return
      }
      if (slot.outcome !== undefined) chunks.push(...slot.outcome)
    }
    this.#closeCallbacks.clear()
    this.#send(chunks)
    this.#startWaiting()
    this.#updatePause()
    if (this.#frames !== undefined) this.#continueNextTurn()
    if (this.#isEnding && this.#slots.length === 0) this.#options.socket.end()
  }

  #send(chunks: Buffer[]): void {
    if (chunks.length === 0) return
    const { socket } = this.#options
    socket.write(chunks)
    this.#isBlocked = socket.queuedBytes > queuedAnswerBytesMax
  }

  #drained(): void {
    this.activity++
    if (!this.#isBlocked) return
    this.#isBlocked = false
    this.#continue()
  }

  /** What is left of a chunk waits for a turn of the event loop: other connections come in between. */
  #continueNextTurn(): void {
    if (this.#isContinuing) return
    this.#isContinuing = true
    this.#options.clock.afterTurn(() => {
      this.#isContinuing = false
      this.#continue()
    })
  }

  #continue(): void {
    if (this.#isClosed) return
    this.#takeFrames()
    this.#startWaiting()
    this.#updatePause()
  }

  get #isFull(): boolean {
    const { inWorkBytesMax } = this.#options
    const isBusy = this.#slots.length >= requestsMax || this.#inWorkBytes >= inWorkBytesMax
    return this.#isBlocked || isBusy
  }

  #updatePause(): void {
    const { socket } = this.#options
    const hasEnough = this.#isFull || this.#frames !== undefined
    if (hasEnough === this.#isPaused || this.#isEnding) return
    this.#isPaused = hasEnough
    if (hasEnough) socket.pause()
    else socket.resume()
  }

  #closed(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#slots.length = 0
    this.#chunks.length = 0
    this.#frames = undefined
    this.#tellClosing()
    this.#options.onClose()
  }

  #tellClosing(): void {
    const callbacks = [...this.#closeCallbacks]
    this.#closeCallbacks.clear()
    for (const callback of callbacks) callback()
  }
}
