/** The content of one file as the page cache has it and as the disk has it. */
import { FileContent } from './file-content.ts'
import type { SeededRandom } from './seeded-random.ts'

export const sectorBytes = 512

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly sizeBytes: number }

export class SimulatedFile {
  readonly kind = 'file'
  #cached = new FileContent()
  readonly #durable = new FileContent()
  /** Since the last sync, in order. */
  #changes: Change[] = []

  /** What reads see. */
  get cached(): Buffer {
    return this.#cached.bytes
  }

  get sizeBytes(): number {
    return this.#cached.sizeBytes
  }

  /** The number of bytes that are there. */
  read(target: Uint8Array, position: number): number {
    return this.#cached.read(target, position)
  }

  write(position: number, bytes: Buffer): void {
    this.#cached.write(position, bytes)
    this.#changes.push({ kind: 'write', position, bytes: Buffer.from(bytes) })
  }

  truncate(sizeBytes: number): void {
    this.#cached.truncate(sizeBytes)
    this.#changes.push({ kind: 'truncate', sizeBytes })
  }

  /** A direct write: past the page cache, durable at once. */
  writeDurably(position: number, bytes: Buffer): void {
    this.#cached.write(position, bytes)
    this.#durable.write(position, bytes)
  }

  /** A direct write that the power loss cuts short: any subset of its sectors. */
  tear(position: number, bytes: Buffer, random: SeededRandom): void {
    for (let at = 0; at < bytes.length; at += sectorBytes) {
      if (random.chance(0.5)) this.writeDurably(position + at, bytes.subarray(at, at + sectorBytes))
    }
  }

  sync(): void {
    for (const change of this.#changes) apply(this.#durable, change)
    this.#changes = []
  }

  /**
   * A sync that fails. What the kernel could not write it takes for written from then on: it can be read, and no later sync
   * brings it to the disk.
   */
  failSync(random: SeededRandom): void {
    for (const change of this.#changes) if (random.chance(0.5)) apply(this.#durable, change)
    this.#changes = []
  }

  /** Nothing, everything, or any part of the changes since the last sync survives; of a write any of its sectors. */
  losePower(random: SeededRandom): void {
    const survival = random.pick(['nothing', 'everything', 'parts', 'parts'])
    for (const change of this.#changes) {
      const fate = survival === 'parts' ? random.pick(['nothing', 'everything', 'torn']) : survival
      if (fate === 'nothing') continue
      if (fate === 'torn' && change.kind === 'write') tearWrite(this.#durable, change, random)
      else apply(this.#durable, change)
    }
    this.#cached = new FileContent(this.#durable.bytes)
    this.#changes = []
  }

  /** Damage on the disk itself: one bit is another one. */
  flip(position: number, bit = 4): void {
    for (const { bytes } of [this.#cached, this.#durable]) {
      if (position < bytes.length) bytes[position] = (bytes[position] as number) ^ (1 << bit)
    }
  }

  /** Damage on the disk itself: the end of the file is gone. */
  cut(sizeBytes: number): void {
    for (const content of [this.#cached, this.#durable]) {
      content.truncate(Math.min(sizeBytes, content.sizeBytes))
    }
  }
}

function apply(content: FileContent, change: Change): void {
  if (change.kind === 'write') content.write(change.position, change.bytes)
  else content.truncate(change.sizeBytes)
}

function tearWrite(
  content: FileContent,
  { position, bytes }: { position: number; bytes: Buffer },
  random: SeededRandom,
): void {
  const end = position + bytes.length
  for (let at = position; at < end; ) {
    const next = Math.min(end, (Math.floor(at / sectorBytes) + 1) * sectorBytes)
    if (random.chance(0.6)) content.write(at, bytes.subarray(at - position, next - position))
    at = next
  }
}
