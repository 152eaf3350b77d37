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
    this.#durable = Buffer.from(this.cached)
    this.#changes = []
  }

  /** Each change since the last sync survives, is lost, or survives in some of its sectors. */
  losePower(random: SeededRandom): void {
    let content = this.#durable
    for (const change of this.#changes) {
      const fate = random.below(3)
      if (fate === 0) continue
      if (change.kind === 'truncate') content = truncated(content, change.sizeBytes)
      else if (fate === 1) content = written(content, change.position, change.bytes)
      else content = tornWrite(content, change, random)
    }
    this.#durable = content
    this.cached = Buffer.from(content)
    this.#changes = []
  }

  /** Damage on the disk itself. */
  flip(position: number): void {
    for (const content of [this.cached, this.#durable]) {
      if (position < content.length) content[position] = (content[position] as number) ^ 0x10
    }
  }
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
