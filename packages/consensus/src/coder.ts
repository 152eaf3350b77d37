/** Questions and answers between brokers, by the types of the Kafka protocol. */
import { ByteReader, ByteWriter } from '@naru/base'
import type { Codec, Type } from '@naru/protocol'

export interface Coder<T> {
  encode(value: T): Buffer
  /** Throws DecodeError. */
  decode(bytes: Buffer): T
}

export function coder<T>(type: Type<T>): Coder<T> {
  const codec = type.resolve({ version: 0, isFlexible: true }) as Codec<T>
  return {
    encode(value) {
      const writer = new ByteWriter(256)
      codec.write(writer, value)
      return Buffer.concat(writer.finishChunks())
    },
    decode: (bytes) => codec.read(new ByteReader(bytes)),
  }
}
