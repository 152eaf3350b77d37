/** How values of one type stand on the wire: behind their tag, with their length where they have one. */
import { type WireReader, wireTypes } from './wire-reader.ts'
import { int32Size, int64Size, varintSize, type WireWriter } from './wire-writer.ts'

export interface Kind<In, Out> {
  readonly wireType: number
  size(value: In): number
  write(writer: WireWriter, value: In): void
  read(reader: WireReader): Out
}

export const int32Kind: Kind<number, number> = {
  wireType: wireTypes.varint,
  size: int32Size,
  write: (writer, value) => writer.int32(value),
  read: (reader) => reader.int32(),
}

export const int64Kind: Kind<bigint, bigint> = {
  wireType: wireTypes.varint,
  size: int64Size,
  write: (writer, value) => writer.int64(value),
  read: (reader) => reader.int64(),
}

export const textKind: Kind<string, string> = {
  wireType: wireTypes.delimited,
  size: (value) => delimitedSize(Buffer.byteLength(value, 'utf8')),
  write(writer, value) {
    const { position: end } = writer
    writer.text(value)
    writer.length(end)
  },
  read: (reader) => reader.text(),
}

/** Given as buffers that are written one behind the other; read as one view. */
export const bytesKind: Kind<readonly Buffer[], Buffer> = {
  wireType: wireTypes.delimited,
  size(parts) {
    let size = 0
    for (const { length } of parts) size += length
    return delimitedSize(size)
  },
  write(writer, parts) {
    const { position: end } = writer
    for (let at = parts.length - 1; at >= 0; at--) writer.bytes(parts[at] as Buffer)
    writer.length(end)
  },
  read: (reader) => reader.bytes(),
}

export const packedInt32Kind: Kind<readonly number[], number[]> = {
  wireType: wireTypes.delimited,
  size(values) {
    let size = 0
    for (const value of values) size += int32Size(value)
    return delimitedSize(size)
  },
  write(writer, values) {
    const { position: end } = writer
    for (let at = values.length - 1; at >= 0; at--) writer.int32(values[at] as number)
    writer.length(end)
  },
  read: (reader) =>
    reader.within(() => {
      const values: number[] = []
      while (reader.position < reader.end) values.push(reader.int32())
      return values
    }),
}

export function delimitedSize(size: number): number {
  return varintSize(size) + size
}
