import { readFileSync } from 'node:fs'
import { ReflectionService } from '@grpc/reflection'
import { ByteReader } from '@naru/base'

const descriptorSet = new URL('../../../proto/descriptors.binpb', import.meta.url)

/** Field 1 of `google.protobuf.FileDescriptorSet`, length-delimited: its only one. */
const fileTag = 0x0a

/** Tells clients which services there are, and how their messages look. */
export function reflectionService(): ReflectionService {
  const fileDescriptorProtos: Buffer[] = []
  const reader = new ByteReader(readFileSync(descriptorSet))
  while (reader.remaining > 0) {
    if (reader.int8() !== fileTag) throw new Error('proto/descriptors.binpb is no descriptor set')
    fileDescriptorProtos.push(reader.bytes(reader.unsignedVarint()))
  }
  return new ReflectionService({ '': { fileDescriptorProtos } as never })
}
