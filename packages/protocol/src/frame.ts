import { DecodeError } from '@naru/base'

const empty = Buffer.alloc(0)

/**
 * Cuts a byte stream into frames: an int32 length, then that many bytes. A frame that lies in one chunk is a view of it; a
 * larger one is gathered in one buffer that grows with what has arrived, so a length alone allocates nothing.
 */
export class FrameSplitter {
  readonly #maxBytes: number
  #rest: Buffer = empty
  /** Chunks of an unfinished frame, after `#rest`. */
  #chunks: Buffer[] = []
  #chunkBytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Bytes of the frame that has not arrived whole. */
  get pendingBytes(): number {
    return this.#rest.length + this.#chunkBytes
  }

  /** The frames that `chunk` completes. Throws DecodeError where a length is negative or too large, after the frames before it. */
  *push(chunk: Buffer): Generator<Buffer> {
    if (this.pendingBytes > 0) {
      this.#chunks.push(chunk)
      this.#chunkBytes += chunk.length
      if (!this.#isWhole()) return
      this.#rest = Buffer.concat([this.#rest, ...this.#chunks])
      this.#chunks = []
      this.#chunkBytes = 0
    } else {
      this.#rest = chunk
    }
    let at = 0
    const bytes = this.#rest
    while (bytes.length - at >= 4) {
      const length = this.#checked(bytes.readInt32BE(at))
      if (bytes.length - at - 4 < length) break
      yield bytes.subarray(at + 4, at + 4 + length)
      at += 4 + length
    }
    this.#rest = at === bytes.length ? empty : bytes.subarray(at)
  }

  #isWhole(): boolean {
    if (this.pendingBytes < 4) return false
    if (this.#rest.length < 4) {
      this.#rest = Buffer.concat([this.#rest, ...this.#chunks])
      this.#chunks = []
      this.#chunkBytes = 0
    }
    return this.pendingBytes - 4 >= this.#checked(this.#rest.readInt32BE(0))
  }

  #checked(length: number): number {
    if (length < 0 || length > this.#maxBytes) {
      throw new DecodeError(`Frame of ${length} bytes: at most ${this.#maxBytes} are taken`)
    }
    return length
  }
}
