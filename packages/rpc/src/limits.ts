/** The largest message that is taken. */
export const receivedBytesMax = 64 << 20

/** How long the other side may take to close the connection of a stream that is over. */
export const lingerMsMax = 200
