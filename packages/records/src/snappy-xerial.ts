/** Snappy as Java writes it (blocks in a frame of its own, "xerial") and as librdkafka does (one raw block). */
import { DecodeError } from '@naru/base'
import { snappy } from './native-codecs.ts'

const magic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])
const headerBytes = 16
const blockBytes = 32 * 1024

export function decompressSnappy(bytes: Buffer, maxBytes: number): Buffer {
  if (bytes.length < headerBytes || !bytes.subarray(0, 8).equals(magic)) {
    return block(bytes, maxBytes)
  }
  const blocks: Buffer[] = []
  let total = 0
  let at = headerBytes
  while (at < bytes.length) {
    if (at + 4 > bytes.length) throw new DecodeError('Snappy block length is cut off')
    const size = bytes.readInt32BE(at)
    at += 4
    if (size < 0 || at + size > bytes.length) throw new DecodeError('Snappy block is cut off')
    const plain = block(bytes.subarray(at, at + size), maxBytes - total)
    blocks.push(plain)
    total += plain.length
    at += size
  }
  return Buffer.concat(blocks, total)
}

export function compressSnappy(bytes: Buffer): Buffer {
  const header = Buffer.alloc(headerBytes)
  magic.copy(header)
  header.writeInt32BE(1, 8)
  header.writeInt32BE(1, 12)
  const parts: Buffer[] = [header]
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const compressed = snappy().compressSync(bytes.subarray(at, at + blockBytes))
    const length = Buffer.alloc(4)
    length.writeInt32BE(compressed.length)
    parts.push(length, compressed)
  }
  return Buffer.concat(parts)
}

/** A raw block begins with its uncompressed length as a varint: checked before anything is allocated for it. */
function block(bytes: Buffer, maxBytes: number): Buffer {
  let length = 0
  for (let i = 0; ; i++) {
    const byte = bytes[i]
    if (byte === undefined || i > 4) throw new DecodeError('Snappy block has no length')
    length += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) break
  }
  if (length > maxBytes) throw new DecodeError(`Records decompress to more than ${maxBytes} bytes`)
  return snappy().uncompressSync(bytes, { asBuffer: true }) as Buffer
}
