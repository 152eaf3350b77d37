/** The content of one file as the page cache has it and as the disk has it. */
import type { SeededRandom } from './seeded-random.ts'

export const sectorBytes = 512

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly sizeBytes: number }

export class SimulatedFile {
  readonly kind = 'file'
  /** What reads see. */
  cached: Buffer = Buffer.alloc(0)
  #durable: Buffer = Buffer.alloc(0)
  /** Since the last sync, in order. */
  #changes: Change[] = []

  write(position: number, bytes: Buffer): void {
    this.cached = written(this.cached, position, bytes)
    this.#changes.push({ kind: 'write', position, bytes: Buffer.from(bytes) })
  }

  truncate(sizeBytes: number): void {
    this.cached = truncated(this.cached, sizeBytes)
    this.#changes.push({ kind: 'truncate', sizeBytes })
  }

  /** A direct write: past the page cache, durable at once. */
  writeDurably(position: number, bytes: Buffer): void {
    this.cached = written(this.cached, position, bytes)
    this.#durable = written(this.#durable, position, bytes)
  }

  /** A direct write that the power loss cuts short: any subset of its sectors. */
  tear(position: number, bytes: Buffer, random: SeededRandom): void {
    for (let at = 0; at < bytes.length; at += sectorBytes) {
      if (random.chance(0.5)) this.writeDurably(position + at, bytes.subarray(at, at + sectorBytes))
    }
  }

  sync(): void {
    for (const change of this.#changes) this.#durable = applied(this.#durable, change)
    this.#changes = []
  }

  /**
   * A sync that fails. What the kernel could not write it takes for written from then on: it can be read, and no later sync
   * brings it to the disk.
   */
  failSync(random: SeededRandom): void {
    for (const change of this.#changes) {
      if (random.chance(0.5)) this.#durable = applied(this.#durable, change)
    }
    this.#changes = []
  }

  /** Nothing, everything, or any part of the changes since the last sync survives; of a write any of its sectors. */
  losePower(random: SeededRandom): void {
    const survival = random.pick(['nothing', 'everything', 'parts', 'parts'])
    for (const change of this.#changes) {
      const fate = survival === 'parts' ? random.pick(['nothing', 'everything', 'torn']) : survival
      if (fate === 'nothing') continue
      const isTorn = fate === 'torn' && change.kind === 'write'
      this.#durable = isTorn
        ? tornWrite(this.#durable, change, random)
        : applied(this.#durable, change)
    }
    this.cached = Buffer.from(this.#durable)
    this.#changes = []
  }

  /** Damage on the disk itself: one bit is another one. */
  flip(position: number, bit = 4): void {
    for (const content of [this.cached, this.#durable]) {
      if (position < content.length) content[position] = (content[position] as number) ^ (1 << bit)
    }
  }

  /** Damage on the disk itself: the end of the file is gone. */
  cut(sizeBytes: number): void {
    this.cached = truncated(this.cached, Math.min(sizeBytes, this.cached.length))
    this.#durable = truncated(this.#durable, Math.min(sizeBytes, this.#durable.length))
  }
}

function applied(content: Buffer, change: Change): Buffer {
  return change.kind === 'write'
    ? written(content, change.position, change.bytes)
    : truncated(content, change.sizeBytes)
}

function written(content: Buffer, position: number, bytes: Buffer): Buffer {
  const end = position + bytes.length
  const target = end > content.length ? Buffer.alloc(end) : content
  if (target !== content) content.copy(target)
  bytes.copy(target, position)
  return target
}

function truncated(content: Buffer, sizeBytes: number): Buffer {
  const target = Buffer.alloc(sizeBytes)
  content.copy(target, 0, 0, Math.min(sizeBytes, content.length))
  return target
}

function tornWrite(
  content: Buffer,
  { position, bytes }: { position: number; bytes: Buffer },
  random: SeededRandom,
): Buffer {
  let torn = content
  const end = position + bytes.length
  for (let at = position; at < end; ) {
    const next = Math.min(end, (Math.floor(at / sectorBytes) + 1) * sectorBytes)
    if (random.chance(0.6)) torn = written(torn, at, bytes.subarray(at - position, next - position))
    at = next
  }
  return torn
}
