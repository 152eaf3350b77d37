/** The four codecs of the protocol. Output is bounded: a batch that would decompress to more than the limit is refused. */
import zlib from 'node:zlib'
import { DecodeError } from '@naru/base'
import { compressLz4Frame, decompressLz4Frame } from './lz4-frame.ts'
import { compressSnappy, decompressSnappy } from './snappy-xerial.ts'

export const compressionTypes = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
export type CompressionType = (typeof compressionTypes)[number]

/** Decompresses the records part of a batch. Throws DecodeError when it is damaged or larger than `maxBytes`. */
export function decompress(type: CompressionType, bytes: Buffer, maxBytes: number): Buffer {
  try {
    switch (type) {
      case 'none':
        return bytes
      case 'gzip':
        return zlib.gunzipSync(bytes, { maxOutputLength: maxBytes })
      case 'snappy':
        return decompressSnappy(bytes, maxBytes)
      case 'lz4':
        return decompressLz4Frame(bytes, maxBytes)
      case 'zstd':
        return zlib.zstdDecompressSync(bytes, { maxOutputLength: maxBytes })
    }
  } catch (error) {
    if (error instanceof DecodeError) throw error
    throw new DecodeError(`Cannot decompress ${type} records`, { cause: error })
  }
}

export function compress(type: CompressionType, bytes: Buffer): Buffer {
  switch (type) {
    case 'none':
      return bytes
    case 'gzip':
      return zlib.gzipSync(bytes)
    case 'snappy':
      return compressSnappy(bytes)
    case 'lz4':
      return compressLz4Frame(bytes)
    case 'zstd':
      return zlib.zstdCompressSync(bytes)
  }
}
