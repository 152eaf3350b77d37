import { randomBytes } from 'node:crypto'
import type { Random } from '@naru/base'

/** The kernel's randomness. */
export const systemRandom: Random = {
  uint32: () => randomBytes(4).readUInt32LE(0),
  bytes: (length) => randomBytes(length),
}
