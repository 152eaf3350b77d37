import type { StreamService } from '@naru/base'

/** The largest message that is taken. */
export const receivedBytesMax = 64 << 20

/** How long the other side may take to close the connection of a stream that is over. */
export const lingerMsMax = 200

/** Bytes that may wait before `send` returns false. */
export const queuedBytesMax: Readonly<Record<StreamService, number>> = {
  peer: 1 << 20,
  replication: 4 << 20,
}

/** What the other side of an opened stream may send before this side has taken it. */
export const windowBytes: Readonly<Record<StreamService, number>> = {
  peer: 1 << 20,
  replication: 16 << 20,
}
