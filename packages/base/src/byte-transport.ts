/** The port of byte streams between programs: TCP in production, queues in the simulator. */
export interface ByteTransport {
  /** Listens on `host:port` (port 0 picks a free one). `accept` is called once per connection. */
  listen(address: Address, accept: (socket: ByteSocket) => void): Promise<ByteServer>
  /** Rejects with a {@link TransportError} when nothing answers within `timeoutMs`. */
  connect(address: Address, timeoutMs: number): Promise<ByteSocket>
}

export interface Address {
  readonly host: string
  readonly port: number
}

export interface ByteServer {
  readonly address: Address
  /** Stops listening; connections that exist stay. */
  close(): Promise<void>
}

/** One connection. Its events are set once, before the turn in which it was handed out ends. */
export interface ByteSocket {
  readonly remote: Address
  readonly local: Address
  handle(events: {
    /** A chunk in order. Its buffer belongs to the receiver: it is never written again by the transport. */
    data(chunk: Buffer): void
    /** Room again after `write` returned false. */
    drain(): void
    /** The connection is over; called exactly once. */
    close(error: TransportError | undefined): void
  }): void
  /** Queues the buffers in order. False means: wait for `drain` before writing more. */
  write(buffers: readonly Uint8Array[]): boolean
  /** Bytes that were written and not yet handed to the kernel. */
  readonly queuedBytes: number
  pause(): void
  resume(): void
  /** Sends what is queued, then closes. */
  end(): void
  /** Drops what is queued and closes at once (RST). */
  reset(): void
}

/** `code` is the errno name: ECONNREFUSED, ECONNRESET, ENOTFOUND, EADDRINUSE, ETIMEDOUT … */
export class TransportError extends Error {
  override readonly name = 'TransportError'
  readonly code: string

  constructor(code: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}
