/**
 * The Kafka wire format as data. A type is declared once for all versions of an API and resolved per version into a codec, so
 * that decoding meets no version checks. Flexible versions (KIP-482) use compact lengths and tagged fields.
 */
import { assert, type ByteReader, type ByteWriter, DecodeError } from '@naru/base'
import { type TopicId, topicIdFromBytes, topicIdToBytes } from '@naru/model'

export interface Codec<T> {
  read(reader: ByteReader): T
  write(writer: ByteWriter, value: T): void
}

export interface Version {
  readonly version: number
  readonly isFlexible: boolean
}

/** `resolve` gives the codec of one version, or what to take for the value where the version does not carry it. */
export interface Type<T> {
  resolve(version: Version): Codec<T> | { readonly absent: T }
  /** Set for a tagged field. */
  readonly tag?: number
}

/** The TypeScript type of a wire type's values. */
export type ValueOf<Y> = Y extends Type<infer T> ? T : never

function plain<T>(codec: Codec<T>): Type<T> {
  return { resolve: () => codec }
}

export const int8 = plain<number>({ read: (r) => r.int8(), write: (w, v) => w.int8(v) })
export const int16 = plain<number>({ read: (r) => r.int16(), write: (w, v) => w.int16(v) })
export const uint16 = plain<number>({ read: (r) => r.uint16(), write: (w, v) => w.uint16(v) })
export const int32 = plain<number>({ read: (r) => r.int32(), write: (w, v) => w.int32(v) })
export const uint32 = plain<number>({ read: (r) => r.uint32(), write: (w, v) => w.uint32(v) })
export const int64 = plain<bigint>({ read: (r) => r.int64(), write: (w, v) => w.int64(v) })
export const float64 = plain<number>({ read: (r) => r.float64(), write: (w, v) => w.float64(v) })
export const boolean = plain<boolean>({
  read: (r) => r.int8() !== 0,
  write: (w, v) => w.int8(v ? 1 : 0),
})
export const uuid = plain<TopicId>({
  read: (r) => topicIdFromBytes(r.bytes(16)),
  write(w, v) {
    const id = topicIdToBytes(v)
    assert(id.length === 16, `Topic id ${v} is not 16 bytes`)
    w.bytes(id)
  },
})

/** Length of a value that may be null: -1 for null. Compact lengths are one more than the size, zero for null. */
function readLength(reader: ByteReader, isFlexible: boolean, isShort: boolean): number {
  const length = isFlexible
    ? reader.unsignedVarint() - 1
    : isShort
      ? reader.int16()
      : reader.int32()
  if (length < -1) throw new DecodeError(`Length ${length} is negative`)
  return length
}

function writeLength(
  writer: ByteWriter,
  length: number,
  { isFlexible, isShort }: { isFlexible: boolean; isShort: boolean },
): void {
  if (isFlexible) writer.unsignedVarint(length + 1)
  else if (isShort) writer.int16(length)
  else writer.int32(length)
}

export const nullableString: Type<string | null> = {
  resolve: ({ isFlexible }) => ({
    read(reader) {
      const length = readLength(reader, isFlexible, true)
      return length < 0 ? null : reader.utf8(length)
    },
    write(writer, value) {
      const length = value === null ? -1 : Buffer.byteLength(value)
      writeLength(writer, length, { isFlexible, isShort: true })
      if (value !== null) writer.utf8(value)
    },
  }),
}

export const nullableBytes: Type<Buffer | null> = {
  resolve: ({ isFlexible }) => ({
    read(reader) {
      const length = readLength(reader, isFlexible, false)
      return length < 0 ? null : reader.bytes(length)
    },
    write(writer, value) {
      writeLength(writer, value === null ? -1 : value.length, { isFlexible, isShort: false })
      if (value !== null) writer.reference(value)
    },
  }),
}

/** Record batches as they lie in the log. */
export const records = nullableBytes

export const string: Type<string> = notNull(nullableString)
export const bytes: Type<Buffer> = notNull(nullableBytes)

export function nullableArray<T>(of: Type<T>): Type<T[] | null> {
  return {
    resolve(version) {
      const { isFlexible } = version
      const element = present(of, version)
      return {
        read(reader) {
          const length = readLength(reader, isFlexible, false)
          if (length < 0) return null
          // Every element takes at least a byte: a count beyond that would only allocate.
          if (length > reader.remaining) throw new DecodeError(`Array of ${length} is cut off`)
          const values: T[] = []
          for (let i = 0; i < length; i++) values.push(element.read(reader))
          return values
        },
        write(writer, values) {
          writeLength(writer, values === null ? -1 : values.length, { isFlexible, isShort: false })
          if (values !== null) for (const value of values) element.write(writer, value)
        },
      }
    },
  }
}

export function array<T>(of: Type<T>): Type<T[]> {
  return notNull(nullableArray(of))
}

function notNull<T>(type: Type<T | null>): Type<T> {
  return {
    resolve(version) {
      const codec = present(type, version)
      return {
        read(reader) {
          const value = codec.read(reader)
          if (value === null) throw new DecodeError('Null where a value must be')
          return value
        },
        write: (writer, value) => codec.write(writer, value),
      }
    },
  }
}

/** The field may be null from version `from` on; a null before is malformed. */
export function nullableSince<T>(from: number, type: Type<T | null>): Type<T | null> {
  const strict = notNull(type)
  return { resolve: (version) => (version.version >= from ? type : strict).resolve(version) }
}

/** The field exists from version `from` on; before, its value is `absent`. */
export function since<T>(from: number, type: Type<T>, absent: T): Type<T> {
  frozen(absent)
  return { resolve: (version) => (version.version >= from ? type.resolve(version) : { absent }) }
}

/** The field exists up to version `to`. */
export function until<T>(to: number, type: Type<T>, absent: T): Type<T> {
  frozen(absent)
  return { resolve: (version) => (version.version <= to ? type.resolve(version) : { absent }) }
}

/** All messages share the value of an absent field: nobody may write to it. */
function frozen(absent: unknown): void {
  if (Array.isArray(absent)) Object.freeze(absent)
}

/** The field exists from version `from` up to version `to`. */
export function between<T>(from: number, to: number, type: Type<T>, absent: T): Type<T> {
  return since(from, until(to, type, absent), absent)
}

/** A tagged field whose value is null when it is not there: for structs, which have no default value. */
export function taggedOptional<T>(tag: number, from: number, type: Type<T>): Type<T | null> {
  return tagged<T | null>(tag, from, type as Type<T | null>, null)
}

/** A tagged field from version `from` on: left out when it has its default value. */
export function tagged<T>(tag: number, from: number, type: Type<T>, absent: T): Type<T> {
  return { tag, ...since(from, type, absent) }
}

/** For unions that are written as an object or nothing: a leading byte, -1 for null. */
export function nullableStruct<T>(of: Type<T>): Type<T | null> {
  return {
    resolve(version) {
      const codec = present(of, version)
      return {
        read: (reader) => (reader.int8() < 0 ? null : codec.read(reader)),
        write(writer, value) {
          writer.int8(value === null ? -1 : 1)
          if (value !== null) codec.write(writer, value)
        },
      }
    },
  }
}

function present<T>(type: Type<T>, version: Version): Codec<T> {
  const resolved = type.resolve(version)
  if ('absent' in resolved) throw new TypeError('Only a field of a struct can be absent')
  return resolved
}

type Fields = Record<string, Type<unknown>>
type StructOf<F extends Fields> = { -readonly [K in keyof F]: ValueOf<F[K]> }

interface Field {
  readonly name: string
  readonly codec: Codec<unknown>
}

/** Has a value that does not come from the wire, at least at first. */
interface AbsentField {
  readonly name: string
  readonly absent: unknown
}

interface TaggedField extends Field, AbsentField {
  readonly tag: number
}

/** Fields in wire order. In flexible versions a section of tagged fields ends the struct. */
export function struct<F extends Fields>(fields: F): Type<StructOf<F>> {
  return {
    resolve(version) {
      const plainFields: Field[] = []
      const taggedFields: TaggedField[] = []
      const absentFields: AbsentField[] = []
      for (const [name, type] of Object.entries(fields)) {
        const resolved = type.resolve(version)
        if ('absent' in resolved) absentFields.push({ name, absent: resolved.absent })
        else if (type.tag === undefined) plainFields.push({ name, codec: resolved })
        else {
          const absent = absentOf(type)
          absentFields.push({ name, absent })
          taggedFields.push({ name, codec: resolved, tag: type.tag, absent })
        }
      }
      taggedFields.sort((a, b) => a.tag - b.tag)
      const parts = { plainFields, absentFields, taggedFields }
      return structCodec(parts, version.isFlexible) as Codec<StructOf<F>>
    },
  }
}

function absentOf(type: Type<unknown>): unknown {
  const resolved = type.resolve({ version: -1, isFlexible: true })
  return 'absent' in resolved ? resolved.absent : undefined
}

function structCodec(
  parts: {
    plainFields: readonly Field[]
    absentFields: readonly AbsentField[]
    taggedFields: readonly TaggedField[]
  },
  isFlexible: boolean,
): Codec<Record<string, unknown>> {
  const { plainFields, absentFields, taggedFields } = parts
  return {
    read(reader) {
      // Not a copy of a template: adding field by field takes two thirds of the time.
      const value: Record<string, unknown> = {}
      for (const field of plainFields) value[field.name] = field.codec.read(reader)
      for (const field of absentFields) value[field.name] = field.absent
      if (isFlexible) readTagged(reader, taggedFields, value)
      return value
    },
    write(writer, value) {
      for (const field of plainFields) field.codec.write(writer, value[field.name])
      if (isFlexible) writeTagged(writer, taggedFields, value)
    },
  }
}

function readTagged(
  reader: ByteReader,
  fields: readonly TaggedField[],
  value: Record<string, unknown>,
): void {
  const count = reader.unsignedVarint()
  let before = -1
  for (let i = 0; i < count; i++) {
    const tag = reader.unsignedVarint()
    if (tag <= before) throw new DecodeError(`Tag ${tag} follows tag ${before}`)
    before = tag
    const size = reader.unsignedVarint()
    const end = reader.position + size
    const field = fields.find((candidate) => candidate.tag === tag)
    if (field === undefined) reader.take(size)
    else value[field.name] = field.codec.read(reader)
    if (reader.position !== end) throw new DecodeError(`Tagged field ${tag} has another size`)
  }
}

function writeTagged(
  writer: ByteWriter,
  fields: readonly TaggedField[],
  value: Record<string, unknown>,
): void {
  if (fields.length === 0) {
    writer.unsignedVarint(0)
    return
  }
  const set = fields.filter((field) => !isDefault(value[field.name], field.absent))
  writer.unsignedVarint(set.length)
  for (const field of set) {
    const content = writer.nested()
    field.codec.write(content, value[field.name])
    const encoded = content.finish()
    writer.unsignedVarint(field.tag)
    writer.unsignedVarint(encoded.length)
    writer.bytes(encoded)
  }
}

function isDefault(value: unknown, absent: unknown): boolean {
  if (value === undefined || value === absent) return true
  return Array.isArray(value) && Array.isArray(absent) && value.length === 0 && absent.length === 0
}
