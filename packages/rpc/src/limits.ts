import type { StreamService } from '@naru/base'

/** The largest message that is taken. */
export const receivedBytesMax = 64 << 20

/** How long the other side may take to close the connection of a stream that is over. */
export const lingerMsMax = 200

/** Messages that may wait before `send` returns false. */
export const queuedMessagesMax = 1024

export interface StreamLimits {
  /** Bytes that may wait before `send` returns false. */
  readonly queuedBytesMax: number
  /** Memory that a stream keeps for its next frames. */
  readonly spareBytesMax: number
  /** Bytes that the opener lets come before it has taken them. */
  readonly windowBytes: number
}

export const streamLimits: Readonly<Record<StreamService, StreamLimits>> = {
  peer: { queuedBytesMax: 1 << 20, spareBytesMax: 0, windowBytes: 1 << 20 },
  replication: { queuedBytesMax: 4 << 20, spareBytesMax: 4 << 20, windowBytes: 16 << 20 },
}
