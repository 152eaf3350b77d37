/**
 * The metadata log on `level`, in the form in which a Raft log is kept: the key is the index, the value a term, a CRC-32C and
 * the records. One synchronous batch an append. With one writer the term is always 1.
 */
import { crc32c, DecodeError } from '@naru/base'
import { decodeMetadataRecords, encodeMetadataRecords, type MetadataRecord } from '@naru/metadata'
import { MetadataStoreError } from './errors.ts'
import { type BinaryLevel, openLevel } from './level-store.ts'

const term = 1n
const headerBytes = 12

export class MetadataStore {
  readonly #level: BinaryLevel
  #lastIndex = 0n

  private constructor(level: BinaryLevel) {
    this.#level = level
  }

  /** Opens the log and calls `replay` for each record in order. Throws METADATA_CORRUPT for an entry that is damaged or missing. */
  static async open(
    directory: string,
    replay: (record: MetadataRecord) => void,
  ): Promise<MetadataStore> {
    const store = new MetadataStore(await openLevel(directory))
    try {
      for await (const [key, value] of store.#level.iterator()) {
        const index = key.readBigUInt64BE(0)
        if (index !== store.#lastIndex + 1n) throw corrupt(directory, store.#lastIndex + 1n)
        for (const record of decodeEntry(directory, index, value)) replay(record)
        store.#lastIndex = index
      }
    } catch (error) {
      await store.close()
      throw error
    }
    return store
  }

  /** Index of the last entry; 0 when there is none. */
  get lastIndex(): bigint {
    return this.#lastIndex
  }

  /** Appends the records as one entry, durable when it resolves. */
  async append(records: readonly MetadataRecord[]): Promise<bigint> {
    const index = this.#lastIndex + 1n
    const key = Buffer.alloc(8)
    key.writeBigUInt64BE(index)
    await this.#level.batch([{ type: 'put', key, value: encodeEntry(records) }], { sync: true })
    this.#lastIndex = index
    return index
  }

  close(): Promise<void> {
    return this.#level.close()
  }
}

function encodeEntry(records: readonly MetadataRecord[]): Buffer {
  const body = encodeMetadataRecords(records)
  const entry = Buffer.alloc(headerBytes + body.length)
  entry.writeBigUInt64BE(term, 0)
  entry.writeUInt32BE(crc32c(body), 8)
  body.copy(entry, headerBytes)
  return entry
}

function decodeEntry(directory: string, index: bigint, entry: Buffer): MetadataRecord[] {
  const body = entry.subarray(headerBytes)
  if (entry.length < headerBytes || crc32c(body) !== entry.readUInt32BE(8)) {
    throw corrupt(directory, index)
  }
  try {
    return decodeMetadataRecords(body)
  } catch (error) {
    if (error instanceof DecodeError) throw corrupt(directory, index, error)
    throw error
  }
}

function corrupt(directory: string, index: bigint, cause?: unknown): MetadataStoreError {
  return new MetadataStoreError('METADATA_CORRUPT', {
    directory,
    message: `Cannot read the metadata in ${directory}: entry ${index} is damaged or missing`,
    hint: 'Restore the directory from a backup; the partition data beside it is not affected',
    cause,
  })
}
