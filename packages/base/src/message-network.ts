/**
 * The port of message streams between brokers: gRPC in production, queues with faults in the simulator. A message is plain data in
 * the shape of a protobuf message: strings, numbers, booleans, Buffers, arrays and objects of these. 64-bit integers are strings in
 * `peer` and bigints in `replication`, where bytes are given as several buffers and arrive as one, a view.
 */
import type { Address } from './byte-transport.ts'

export interface MessageNetwork {
  /** Serves streams of every service at `address` (port 0 picks a free one). `accept` is called once per stream. */
  listen(address: Address, accept: AcceptStream): Promise<MessageServer>
  /** Opens a stream, over a connection of its own. That nobody is there shows as its close. */
  open(address: Address, service: StreamService): MessageStream
}

/** What is spoken on a stream: `peer.proto` or `replication.proto` of `naru.internal.v1`. */
export type StreamService = 'peer' | 'replication'

export type AcceptStream = (stream: MessageStream, service: StreamService) => void

export interface MessageServer {
  readonly address: Address
  /** Stops listening and resets the streams that remain. */
  close(): Promise<void>
}

/** Both directions of one stream: messages arrive once, in order, or the stream closes. */
export interface MessageStream {
  /** Set once, before the turn in which the stream was handed out ends; not needed when it is reset in that. */
  handle(events: {
    message(message: object): void
    /** Room again after `send` returned false. */
    drain(): void
    /** The stream is over; called exactly once, also after `end` and `reset`. */
    close(reason: StreamClose): void
  }): void
  /** Queues a message. False means: wait for `drain` before sending more. After the close it does nothing. */
  send(message: object): boolean
  /** Says that nothing follows, delivers what is queued, and closes. */
  end(): void
  /** Drops what is queued and closes at once. */
  reset(): void
}

/**
 * `ended`: the other side ended it. `refused`: the kernel of the other side says that nobody holds it (any more). `lost`: it broke
 * in another way, or this side ended it; nothing is known of the other side.
 */
export type StreamClose = 'ended' | 'refused' | 'lost'
