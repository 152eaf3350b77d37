import type { Clock, MessageStream, StreamClose, Timer } from '@naru/base'
import type { Codec } from './frame-codec.ts'
import { queuedMessagesMax, type StreamLimits } from './limits.ts'
import { SpareBuffers } from './spare-buffers.ts'

/** How long the other side may take to take what is queued, after `end`. */
const endMsMax = 5_000

/** What is used of a call, by either side. */
interface Call {
  on(event: 'data', listener: (bytes: Buffer) => void): unknown
  write(bytes: Buffer, callback: () => void): boolean
  end(): unknown
}

export interface GrpcStreamOptions {
  readonly call: Call
  readonly encoder: Codec
  readonly decoder: Codec
  readonly limits: StreamLimits
  readonly clock: Clock
  /** Breaks the call off. */
  abort(): void
  /** The stream is over; its connection may not be yet. */
  onClose(): void
}

/** What both sides of a call have in common: a bounded queue in front of gRPC's, and one close. */
export class GrpcStream implements MessageStream {
  readonly #options: GrpcStreamOptions
  #events: Parameters<MessageStream['handle']>[0] | undefined
  #queue: Buffer[] = []
  readonly #memory: SpareBuffers
  readonly #allocate = (size: number) => this.#memory.allocate(size)
  #queuedBytes = 0
  #isWriting = false
  #needsDrain = false
  /** This side ended it: nothing more may be sent, and whatever follows is no news of the other side. */
  #isLeaving = false
  #isClosed = false
  #endTimer: Timer | undefined

  constructor(options: GrpcStreamOptions) {
    this.#options = options
    this.#memory = new SpareBuffers(options.limits.spareBytesMax)
  }

  handle(events: Parameters<MessageStream['handle']>[0]): void {
    this.#events = events
    this.#options.call.on('data', (bytes: Buffer) => this.#receive(bytes))
  }

  #receive(bytes: Buffer): void {
    if (this.#isClosed) return
    let message: object | undefined
    try {
      message = this.#options.decoder.decode(bytes)
    } catch {
      this.reset()
      return
    }
    if (message === undefined) this.#endedByOther()
    else this.#events?.message(message)
  }

  #endedByOther(): void {
    this.#options.call.end()
    this.close('ended')
  }

  send(message: object): boolean {
    if (this.#isClosed || this.#isLeaving) return false
    this.#enqueue(this.#options.encoder.encode(message, this.#allocate))
    const { queuedBytesMax } = this.#options.limits
    if (this.#queuedBytes > queuedBytesMax || this.#queue.length > queuedMessagesMax) {
      this.#needsDrain = true
    }
    return !this.#needsDrain
  }

  #enqueue(bytes: Buffer): void {
    this.#queue.push(bytes)
    this.#queuedBytes += bytes.length
    this.#writeNext()
  }

  #writeNext(): void {
    if (this.#isWriting || this.#isClosed) return
    const bytes = this.#queue.shift()
    if (bytes === undefined) {
      if (this.#isLeaving) this.#options.call.end()
      return
    }
    this.#isWriting = true
    this.#options.call.write(bytes, () => {
      this.#isWriting = false
      this.#queuedBytes -= bytes.length
      this.#memory.release(bytes)
      this.#writeNext()
      this.#tellOfRoom()
    })
  }

  #tellOfRoom(): void {
    if (!this.#needsDrain || this.#isWriting || this.#isClosed || this.#isLeaving) return
    this.#needsDrain = false
    this.#events?.drain()
  }

  end(): void {
    if (this.#isClosed || this.#isLeaving) return
    this.#isLeaving = true
    this.#enqueue(this.#options.encoder.encode(undefined))
    this.#endTimer = this.#options.clock.setTimer(endMsMax, () => this.reset())
  }

  reset(): void {
    if (this.#isClosed) return
    this.#isLeaving = true
    this.#options.abort()
    this.close('lost')
  }

  /** The call is over. Only the first reason counts. */
  close(reason: StreamClose): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#endTimer?.cancel()
    this.#queue = []
    this.#queuedBytes = 0
    this.#options.onClose()
    // Not at once: who resets a stream is not called back inside of that.
    queueMicrotask(() => this.#events?.close(this.#isLeaving ? 'lost' : reason))
  }
}
