/**
 * Term and vote outside the store, because LevelDB forgets without a word: two slots, written in turn, each with a counter and a
 * CRC-32C. It also says how far the log had reached, so that a store that lost its end is found out.
 */
import { crc32c, type File, type FileSystem } from '@naru/base'
import type { HardState } from '@naru/raft'

const slotBytes = 4096
const magic = 0x4e524853
const textMax = 1024

export interface HardStateRecord {
  readonly hardState: HardState
  /** An index that the log had reached on the disk. */
  readonly flushedIndex: bigint
  /** How often acknowledged entries were lost. */
  readonly recoveries: number
  /** They are not all back yet. */
  readonly isRecovering: boolean
}

export const emptyRecord: HardStateRecord = {
  hardState: { term: 0n, vote: undefined },
  flushedIndex: 0n,
  recoveries: 0,
  isRecovering: false,
}

export class HardStateFile implements AsyncDisposable {
  readonly #file: File
  #sequence: bigint
  #record: HardStateRecord

  private constructor(file: File, found: { sequence: bigint; record: HardStateRecord }) {
    this.#file = file
    this.#sequence = found.sequence
    this.#record = found.record
  }

  /** Undefined when there was a file and neither of its slots can be read: what was promised is not known any more. */
  static async open(fileSystem: FileSystem, path: string): Promise<HardStateFile | undefined> {
    const isNew = (await fileSystem.stat(path)) === undefined
    const file = await fileSystem.open(path, 'write')
    const slots: { sequence: bigint; record: HardStateRecord }[] = []
    for (const position of [0, slotBytes]) {
      const slot = Buffer.alloc(slotBytes)
      await file.read(slot, position)
      const found = decodeSlot(slot)
      if (found !== undefined) slots.push(found)
    }
    const newest = slots.sort((a, b) => (a.sequence > b.sequence ? -1 : 1))[0]
    // A file that was made and never written promised nothing.
    const isUnwritten = isNew || (await file.sizeBytes()) === 0
    if (newest === undefined && !isUnwritten) {
      await file.close()
      return undefined
    }
    return new HardStateFile(file, newest ?? { sequence: 0n, record: emptyRecord })
  }

  get record(): HardStateRecord {
    return this.#record
  }

  /** Durable when it resolves. The slot that holds the present record is not touched. */
  async write(change: Partial<HardStateRecord>): Promise<void> {
    const record = { ...this.#record, ...change }
    const sequence = this.#sequence + 1n
    const slot = encodeSlot(sequence, record)
    await this.#file.write([slot], sequence % 2n === 0n ? 0 : slotBytes)
    await this.#file.datasync()
    this.#sequence = sequence
    this.#record = record
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
  }
}

function encodeSlot(sequence: bigint, record: HardStateRecord): Buffer {
  const slot = Buffer.alloc(slotBytes)
  const { hardState, flushedIndex, recoveries, isRecovering } = record
  const text = Buffer.from(
    JSON.stringify({
      term: String(hardState.term),
      vote: hardState.vote ?? null,
      flushedIndex: String(flushedIndex),
      recoveries,
      isRecovering,
    }),
  )
  slot.writeUInt32BE(magic, 0)
  slot.writeBigUInt64BE(sequence, 8)
  slot.writeUInt32BE(text.length, 16)
  text.copy(slot, 20)
  slot.writeUInt32BE(crc32c(slot.subarray(8)), 4)
  return slot
}

function decodeSlot(slot: Buffer): { sequence: bigint; record: HardStateRecord } | undefined {
  if (slot.readUInt32BE(0) !== magic || crc32c(slot.subarray(8)) !== slot.readUInt32BE(4)) {
    return undefined
  }
  const length = Math.min(slot.readUInt32BE(16), textMax)
  const text = JSON.parse(slot.subarray(20, 20 + length).toString())
  const record = {
    hardState: { term: BigInt(text.term), vote: text.vote ?? undefined },
    flushedIndex: BigInt(text.flushedIndex),
    recoveries: text.recoveries,
    isRecovering: text.isRecovering,
  }
  return { sequence: slot.readBigUInt64BE(8), record }
}
