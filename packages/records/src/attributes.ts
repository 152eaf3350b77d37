import { type CompressionType, compressionTypes } from './compression.ts'

/** The attribute bits of a batch: codec 0-2, timestamp type 3, transactional 4, control 5, delete horizon 6. */
export const attributeBits = { logAppendTime: 8, transactional: 16, control: 32, deleteHorizon: 64 }

/** Undefined for a codec number that has no meaning. */
export function compressionOf(attributes: number): CompressionType | undefined {
  return compressionTypes[attributes & 7]
}

export function isTransactional(attributes: number): boolean {
  return (attributes & attributeBits.transactional) !== 0
}

export function isControl(attributes: number): boolean {
  return (attributes & attributeBits.control) !== 0
}

export function hasLogAppendTime(attributes: number): boolean {
  return (attributes & attributeBits.logAppendTime) !== 0
}
