import { DecodeError } from '@naru/base'
import { lz4 } from './native-codecs.ts'

export function decompressLz4Frame(bytes: Buffer, maxBytes: number): Buffer {
  const plain = lz4().decompressFrameSync(bytes)
  if (plain.length > maxBytes) {
    throw new DecodeError(`Records decompress to more than ${maxBytes} bytes`)
  }
  return plain
}

export function compressLz4Frame(bytes: Buffer): Buffer {
  return lz4().compressFrameSync(bytes)
}
