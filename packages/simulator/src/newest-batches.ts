import type { DerivedState } from '@naru/log'
import type { BatchHeader } from '@naru/records'

const rememberedBatches = 8

/** A small derived state: the newest batches by base offset, with the serial number that each carries as its base sequence. */
export class NewestBatches implements DerivedState {
  #serials = new Map<number, number>()

  get serials(): ReadonlyMap<number, number> {
    return this.#serials
  }

  restore({ producers }: { producers: Buffer | undefined }): boolean {
    try {
      this.#serials = new Map(producers === undefined ? [] : JSON.parse(producers.toString()))
    } catch {
      return false
    }
    return true
  }

  reset(): void {
    this.#serials = new Map()
  }

  truncateEnd(): void {}

  replay(header: BatchHeader): void {
    this.#serials.set(Number(header.baseOffset), header.baseSequence)
    for (const oldest of this.#serials.keys()) {
      if (this.#serials.size > rememberedBatches) this.#serials.delete(oldest)
    }
  }

  capture(): { producers: Buffer; epochs: Buffer } {
    return { producers: Buffer.from(JSON.stringify([...this.#serials])), epochs: Buffer.alloc(0) }
  }
}
