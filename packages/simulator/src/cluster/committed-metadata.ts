/**
 * The one true history of a cluster: its committed log, entry by entry, and the metadata that it makes. Every replica that applies
 * something is held to it.
 */
import { crc32c } from '@naru/base'
import {
  cloneImage,
  decodeMetadataRecords,
  emptyImage,
  encodeMetadataRecords,
  imageRecords,
  type MetadataImage,
  type MetadataRecord,
  replay,
  restoreImage,
} from '@naru/metadata'
import type { ReplicaKey } from '@naru/raft'
import { mustHold } from '../raft/raft-history.ts'
import type { ArchivedEntry } from './log-archive.ts'
import { PartitionPromises } from './partition-promises.ts'

export class CommittedMetadata {
  readonly image: MetadataImage = emptyImage()
  /** By index, from 1 on. */
  readonly #log: ArchivedEntry[] = []
  /** Of the image, by index, from 1 on. */
  readonly #hashes: number[] = []
  readonly #promises = new PartitionPromises()
  readonly #topicIds = new Set<string>()
  readonly #onCommitted: (item: ArchivedEntry) => void
  /** Images are compared at every so many indexes. */
  readonly #stride: bigint

  constructor(stride: number, onCommitted: (item: ArchivedEntry) => void) {
    this.#stride = BigInt(stride)
    this.#onCommitted = onCommitted
  }

  get last(): ArchivedEntry | undefined {
    return this.#log.at(-1)
  }

  get lastIndex(): bigint {
    return BigInt(this.#log.length)
  }

  at(index: bigint): ArchivedEntry | undefined {
    return this.#log[Number(index) - 1]
  }

  /** Whether a topic with that id was ever created. */
  hasHad(topicId: string): boolean {
    return this.#topicIds.has(topicId)
  }

  /** Everybody applies the same (Raft §5.4.3). */
  applied(replica: ReplicaKey, item: ArchivedEntry): void {
    const { index, term } = item.entry
    const known = this.at(index)
    if (known !== undefined) {
      mustHold(
        known === item,
        'state machine safety',
        () => `${replica} applies ${index}/${term}, committed is term ${known.entry.term}`,
      )
      return
    }
    const added: ArchivedEntry[] = []
    let each: ArchivedEntry | undefined = item
    for (; each !== undefined && each.entry.index > this.lastIndex; each = each.previous) {
      added.push(each)
    }
    mustHold(
      each === this.last,
      'state machine safety',
      () => `${replica} applies ${index}/${term} behind ${each?.entry.index}/${each?.entry.term}`,
    )
    for (const next of added.reverse()) this.#commit(next)
  }

  /** A copy at an index is what the log up to there makes. */
  checkImage(who: string, index: bigint, image: MetadataImage): void {
    const expected = index % this.#stride === 0n ? this.#hashes[Number(index) - 1] : undefined
    if (expected === undefined || expected === hashOf(image)) return
    mustHold(false, 'a copy is what the log makes', () => `${who} at ${index}`)
  }

  /** A snapshot is the state at its index. */
  checkSnapshot(who: string, index: bigint, state: Buffer): void {
    const expected = this.#hashes[Number(index) - 1]
    const image = emptyImage()
    restoreImage(image, decodeMetadataRecords(state))
    const isRight = expected === undefined || expected === hashOf(image)
    mustHold(isRight, 'a snapshot is what the log makes', () => `${who} at ${index}`)
  }

  /** Whether a copy is the same as this. */
  isEqual(image: MetadataImage): boolean {
    return hashOf(image) === hashOf(this.image)
  }

  #commit(item: ArchivedEntry): void {
    this.#log.push(item)
    const { entry } = item
    this.#onCommitted(item)
    if (entry.kind === 'data') this.#replay(entry.index, decodeMetadataRecords(entry.payload))
    this.#hashes.push(hashOf(this.image))
  }

  #replay(index: bigint, records: readonly MetadataRecord[]): void {
    const before = cloneImage(this.image)
    for (const record of records) {
      if (record.type === 'topic') {
        const { topicId, name } = record
        const isNew = !this.#topicIds.has(topicId)
        mustHold(isNew, 'the id of a topic never comes back', () => `${name} at ${index}`)
        this.#topicIds.add(topicId)
      }
      replay(this.image, record)
    }
    checkLevels(index, this.image)
    this.#promises.check({ index, before, after: this.image, records })
  }
}

/** Whoever is registered can read what is written (KIP-584). */
function checkLevels(index: bigint, { features, brokers }: MetadataImage): void {
  for (const [name, level] of features) {
    for (const broker of brokers.values()) {
      const known = broker.features.find((feature) => feature.name === name)
      const isKnown = known !== undefined && level >= known.min && level <= known.max
      mustHold(isKnown, 'every broker knows every level', () => {
        return `at ${index}: broker ${broker.nodeId} and ${name} ${level}`
      })
    }
  }
}

function hashOf(image: MetadataImage): number {
  return crc32c(encodeMetadataRecords(imageRecords(image)))
}
