/** Messages of Protocol Buffers from tables of their fields. */
import { assert, DecodeError } from '@naru/base'
import type { Field } from './wire-fields.ts'
import { delimitedSize, type Kind } from './wire-kinds.ts'
import { WireReader, wireTypes } from './wire-reader.ts'
import { WireWriter } from './wire-writer.ts'

type Fields<In, Out> = {
  readonly [Name in keyof Out & keyof In]-?: Field<Exclude<In[Name], undefined>, Out[Name]>
}
export type Allocate = (size: number) => Buffer
type AnyField = Field<unknown, unknown>

/** A message: as a field of another it stands behind its length, as a whole it has none. */
export interface Message<In, Out> extends Kind<In, Out> {
  /** Into one buffer of exactly its size. */
  encode(message: In, allocate: Allocate): Buffer
  decode(bytes: Buffer): Out
}

export function message<In extends object, Out extends object>(
  fields: Fields<In, Out>,
): Message<In, Out> {
  const body = bodyOf<In, Out>(Object.entries(fields) as [string, AnyField][])
  return {
    wireType: wireTypes.delimited,
    size: (value) => delimitedSize(body.size(value)),
    write(writer, value) {
      const { position: end } = writer
      body.write(writer, value)
      writer.length(end)
    },
    read: (reader) => reader.within(() => body.read(reader)),
    encode(value, allocate) {
      const writer = new WireWriter(allocate(body.size(value)))
      body.write(writer, value)
      assert(writer.position === 0, 'a message is smaller than its size was counted')
      return writer.buffer
    },
    decode: (bytes) => body.read(new WireReader(bytes)),
  }
}

function bodyOf<In extends object, Out extends object>(named: readonly [string, AnyField][]) {
  const byNumber: ([string, AnyField] | undefined)[] = []
  for (const each of named) byNumber[each[1].number] = each
  const backward = named.toReversed()
  return {
    size(message: In): number {
      let size = 0
      for (const [name, field] of named) size += field.size(fieldOf(message, name))
      return size
    },
    write(writer: WireWriter, message: In): void {
      for (const [name, field] of backward) field.write(writer, fieldOf(message, name))
    },
    read(reader: WireReader): Out {
      const message: Record<string, unknown> = {}
      for (const [name, field] of named) message[name] = field.initial()
      while (reader.position < reader.end) {
        const tag = reader.uint32()
        const found = byNumber[tag >>> 3]
        if (found === undefined) reader.skip(tag)
        else message[found[0]] = readField(reader, found[1], message[found[0]], tag & 7)
      }
      return message as Out
    },
  }
}

function readField(reader: WireReader, field: AnyField, before: unknown, wireType: number) {
  if (wireType !== field.wireType && wireType !== field.unpackedWireType) {
    throw new DecodeError(`Field ${field.number} comes with wire type ${wireType}`)
  }
  return field.read(reader, before, wireType)
}

function fieldOf(message: object, name: string): unknown {
  return (message as Readonly<Record<string, unknown>>)[name]
}
