/** Levels of the cluster's features (KIP-584): what all brokers understand decides what may be written. */
import type { MetadataImage } from './image.ts'
import { type MetadataRecord, recordLevel } from './records.ts'

export interface SupportedFeature {
  readonly name: string
  readonly min: number
  readonly max: number
}

/** The level of this program's own formats. */
export const naruVersion = 'naru.version'
/** What Kafka's clients and tools take for the level of the cluster; nothing of ours depends on it. */
export const metadataVersion = 'metadata.version'

export const supportedFeatures: readonly SupportedFeature[] = [
  { name: metadataVersion, min: 7, max: 31 },
  { name: naruVersion, min: 1, max: recordLevel },
]

/** What a new cluster begins with. */
export const initialLevels = [
  { name: metadataVersion, level: 29 },
  { name: naruVersion, level: recordLevel },
] as const

/** The level that records are written at, when they go after what made the image: a batch that raises it is written at the new one. */
export function writtenLevel(image: MetadataImage, records: readonly MetadataRecord[]): number {
  let level = image.features.get(naruVersion) ?? 0
  for (const record of records) {
    if (record.type === 'feature' && record.name === naruVersion && record.level > level) {
      level = record.level
    }
  }
  return level
}
