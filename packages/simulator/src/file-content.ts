/** The bytes of a file that grows: with room behind its end, so that little has to be copied. */

export class FileContent {
  /** Zeros from the end of the file on. */
  #bytes: Buffer
  #sizeBytes: number

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#bytes = Buffer.from(bytes)
    this.#sizeBytes = bytes.length
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** A view. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#sizeBytes)
  }

  /** The number of bytes that are there. */
  read(target: Uint8Array, position: number): number {
    if (position >= this.#sizeBytes) return 0
    return this.#bytes.copy(target, 0, position, this.#sizeBytes)
  }

  write(position: number, bytes: Buffer): void {
    const end = position + bytes.length
    if (end > this.#bytes.length) this.#grow(end)
    bytes.copy(this.#bytes, position)
    if (end > this.#sizeBytes) this.#sizeBytes = end
  }

  /** Cuts, or adds zeros. */
  truncate(sizeBytes: number): void {
    if (sizeBytes > this.#bytes.length) this.#grow(sizeBytes)
    else if (sizeBytes < this.#sizeBytes) this.#bytes.fill(0, sizeBytes, this.#sizeBytes)
    this.#sizeBytes = sizeBytes
  }

  #grow(leastBytes: number): void {
    const grown = Buffer.alloc(Math.max(leastBytes, 2 * this.#bytes.length))
    this.#bytes.copy(grown)
    this.#bytes = grown
  }
}
