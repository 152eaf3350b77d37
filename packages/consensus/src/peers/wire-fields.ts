/** Fields of messages that came over the network: checked, because whoever reaches the port can send anything. */
import { DecodeError } from '@naru/base'

function field(wire: object, name: string): unknown {
  return (wire as Readonly<Record<string, unknown>>)[name]
}

function refuse(name: string): never {
  throw new DecodeError(`Field ${name} is missing or of another type`)
}

export function text(wire: object, name: string): string {
  const value = field(wire, name)
  return typeof value === 'string' ? value : refuse(name)
}

export function bool(wire: object, name: string): boolean {
  const value = field(wire, name)
  return typeof value === 'boolean' ? value : refuse(name)
}

export function int(wire: object, name: string): number {
  const value = field(wire, name)
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : refuse(name)
}

/** A 64-bit integer, which comes as a string. */
export function int64(wire: object, name: string): bigint {
  const value = field(wire, name)
  return typeof value === 'string' && /^-?\d{1,19}$/.test(value) ? BigInt(value) : refuse(name)
}

/** A 64-bit integer that never grows beyond what a number holds exactly. */
export function safeInt64(wire: object, name: string): number {
  const value = Number(int64(wire, name))
  return Number.isSafeInteger(value) ? value : refuse(name)
}

export function bytes(wire: object, name: string): Buffer {
  const value = field(wire, name)
  return Buffer.isBuffer(value) ? value : refuse(name)
}

export function nested(wire: object, name: string): object {
  return optional(wire, name) ?? refuse(name)
}

/** A message that may be absent. */
export function optional(wire: object, name: string): object | undefined {
  const value = field(wire, name)
  if (value === undefined || value === null) return undefined
  return typeof value === 'object' ? value : refuse(name)
}

/** A repeated field; absent is empty. */
export function list<T>(wire: object, name: string, read: (element: unknown) => T): T[] {
  const value = field(wire, name) ?? []
  return Array.isArray(value) ? value.map(read) : refuse(name)
}

export function textElement(element: unknown): string {
  return typeof element === 'string' ? element : refuse('of a list')
}

export function objectElement(element: unknown): object {
  return typeof element === 'object' && element !== null ? element : refuse('of a list')
}
