import { DecodeError } from '@naru/base'
import { compressFrameSync, decompressFrameSync } from 'lz4-napi'

export function decompressLz4Frame(bytes: Buffer, maxBytes: number): Buffer {
  const plain = decompressFrameSync(bytes)
  if (plain.length > maxBytes) {
    throw new DecodeError(`Records decompress to more than ${maxBytes} bytes`)
  }
  return plain
}

export function compressLz4Frame(bytes: Buffer): Buffer {
  return compressFrameSync(bytes)
}
