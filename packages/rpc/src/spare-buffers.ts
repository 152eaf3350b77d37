/** Smaller frames are not worth it; larger ones come from those who catch up from far. */
const smallestBytes = 8 << 10
const largestBytes = 2 << 20

/**
 * Memory of frames that gRPC is done with, for the next ones. It copies each frame, and to copy a megabyte into memory that was used
 * just before takes a seventh of what it takes into memory that the kernel has yet to give.
 */
export class SpareBuffers {
  readonly #bytesMax: number
  /** The one that was used last comes last. */
  readonly #spare: ArrayBufferLike[] = []
  #spareBytes = 0

  /** Keeps up to `bytesMax` ready. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  allocate(size: number): Buffer {
    if (size < smallestBytes || size > largestBytes) return Buffer.allocUnsafe(size)
    const capacity = capacityFor(size)
    const at = this.#spare.findLastIndex(({ byteLength }) => byteLength === capacity)
    const [memory] = at < 0 ? [] : this.#spare.splice(at, 1)
    if (memory === undefined) return Buffer.allocUnsafeSlow(capacity).subarray(0, size)
    this.#spareBytes -= capacity
    return Buffer.from(memory, 0, size)
  }

  /** Nobody looks at these bytes, which were allocated here, any more. */
  release({ buffer: memory, length }: Buffer): void {
    if (length < smallestBytes || length > largestBytes) return
    this.#spare.push(memory)
    this.#spareBytes += memory.byteLength
    while (this.#spareBytes > this.#bytesMax) {
      this.#spareBytes -= this.#spare.shift()?.byteLength ?? 0
    }
  }
}

/** The next power of two. */
function capacityFor(size: number): number {
  return 2 ** Math.ceil(Math.log2(size))
}
