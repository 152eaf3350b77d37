/** Fields of messages. What equals the default of its type is not written (proto3). */
import {
  bytesKind,
  int32Kind,
  int64Kind,
  type Kind,
  packedInt32Kind,
  textKind,
} from './wire-kinds.ts'
import { type WireReader, wireTypes } from './wire-reader.ts'
import { varintSize, type WireWriter } from './wire-writer.ts'

/** One field: what is given when a message is sent, and what is there when it was received. */
export interface Field<In, Out> {
  readonly number: number
  readonly wireType: number
  /** Another form in which a list may come. */
  readonly unpackedWireType?: number
  /** Before anything was read. */
  initial(): Out
  /** With the tags; zero for what is not written. */
  size(value: In | undefined): number
  write(writer: WireWriter, value: In | undefined): void
  /** What is there after one more occurrence. */
  read(reader: WireReader, before: Out, wireType: number): Out
}

export function int32(number: number): Field<number, number> {
  return scalar(number, int32Kind, 0, (value) => value === 0)
}

export function int64(number: number): Field<bigint, bigint> {
  return scalar(number, int64Kind, 0n, (value) => value === 0n)
}

export function text(number: number): Field<string, string> {
  return scalar(number, textKind, '', (value) => value === '')
}

export function bytes(number: number): Field<readonly Buffer[], Buffer> {
  const isEmpty = (parts: readonly Buffer[]) => parts.every(({ length }) => length === 0)
  return scalar(number, bytesKind, Buffer.alloc(0), isEmpty)
}

/** A message that may be absent, or a number whose absence means something. */
export function one<In, Out>(number: number, of: Kind<In, Out>): Field<In, Out | undefined> {
  return scalar(number, of, undefined, () => false)
}

export function many<In, Out>(
  number: number,
  of: Kind<In, Out>,
): Field<readonly In[], readonly Out[]> {
  const tagSize = varintSize(number << 3)
  return {
    number,
    wireType: of.wireType,
    initial: () => [],
    size(values = []) {
      let size = 0
      for (const value of values) size += tagSize + of.size(value)
      return size
    },
    write(writer, values = []) {
      for (let at = values.length - 1; at >= 0; at--) {
        of.write(writer, values[at] as In)
        writer.tag(number, of.wireType)
      }
    },
    read(reader, before, _) {
      const list = before as Out[]
      list.push(of.read(reader))
      return list
    },
  }
}

/** Written packed, read in either form (proto3). */
export function int32s(number: number): Field<readonly number[], readonly number[]> {
  return {
    ...scalar(number, packedInt32Kind, [], (values) => values.length === 0),
    unpackedWireType: wireTypes.varint,
    read(reader, before, wireType) {
      const more = wireType === wireTypes.varint ? [reader.int32()] : packedInt32Kind.read(reader)
      return before.length === 0 ? more : [...before, ...more]
    },
  }
}

function scalar<In, Out>(
  number: number,
  kind: Kind<In, Out>,
  absent: Out,
  isDefault: (value: In) => boolean,
): Field<In, Out> {
  const tagSize = varintSize(number << 3)
  return {
    number,
    wireType: kind.wireType,
    initial: () => absent,
    size: (value) => (value === undefined || isDefault(value) ? 0 : tagSize + kind.size(value)),
    write(writer, value) {
      if (value === undefined || isDefault(value)) return
      kind.write(writer, value)
      writer.tag(number, kind.wireType)
    },
    read: (reader) => kind.read(reader),
  }
}
