/**
 * Protobuf messages by a description of their fields, without generated code: records are copied once, into the message that is
 * sent, and are not copied at all when one is received. Integers are numbers or bigints, never strings.
 */
export type FieldKind = 'int' | 'long' | 'text' | 'buffers' | 'ints' | MessageShape | ListShape

/** Fields in the order of their numbers, which begin at 1. */
export interface MessageShape {
  readonly fields: readonly (readonly [name: string, kind: FieldKind])[]
}

export interface ListShape {
  readonly elements: MessageShape
}

export type Message = Readonly<Record<string, unknown>>

export const wireTypes = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const

export function tagOf(index: number, kind: FieldKind): number {
  const wireType = kind === 'int' || kind === 'long' ? wireTypes.varint : wireTypes.bytes
  return ((index + 1) << 3) | wireType
}

export function isList(kind: FieldKind): kind is ListShape {
  return typeof kind === 'object' && 'elements' in kind
}
