import { ByteReader, ByteWriter, DecodeError } from '@naru/base'
import { zeroTopicId } from '@naru/model'
import { describe, expect, test } from 'vitest'
import * as s from './schema.ts'

const classic = { version: 1, isFlexible: false }
const flexible = { version: 2, isFlexible: true }

function codecOf<T>(type: s.Type<T>, version: s.Version): s.Codec<T> {
  const codec = type.resolve(version)
  if ('absent' in codec) throw new TypeError('absent')
  return codec
}

function encoded<T>(type: s.Type<T>, version: s.Version, value: T): string {
  const writer = new ByteWriter(4096)
  codecOf(type, version).write(writer, value)
  return Buffer.concat(writer.finishChunks()).toString('hex')
}

function decoded<T>(type: s.Type<T>, version: s.Version, hex: string): T {
  return codecOf(type, version).read(new ByteReader(Buffer.from(hex, 'hex')))
}

describe('lengths', () => {
  test.each([
    [s.string, 'ab', '00026162', '036162'],
    [s.string, '', '0000', '01'],
    [s.nullableString, null, 'ffff', '00'],
    [s.bytes, Buffer.of(7), '0000000107', '0207'],
    [s.nullableBytes, null, 'ffffffff', '00'],
    [s.records, Buffer.of(7), '0000000107', '0207'],
    [s.array(s.int8), [1, 2], '000000020102', '030102'],
    [s.nullableArray(s.int8), null, 'ffffffff', '00'],
  ] as [s.Type<unknown>, unknown, string, string][])(
    'are plain in old versions and compact in flexible ones (KIP-482): %#',
    (type, value, plain, compact) => {
      expect(encoded(type, classic, value)).toBe(plain)
      expect(encoded(type, flexible, value)).toBe(compact)
      expect(decoded(type, classic, plain)).toEqual(value)
      expect(decoded(type, flexible, compact)).toEqual(value)
    },
  )

  test.each([
    [s.string, 'ffff', '00'],
    [s.bytes, 'ffffffff', '00'],
    [s.array(s.int8), 'ffffffff', '00'],
    [s.nullableString, 'fffe', 'ffffffff1f'],
    [s.nullableArray(s.int8), '80000000', 'ffffffff0f'],
  ] as [s.Type<unknown>, string, string][])(
    'read() refuses null where it is not allowed, and lengths below it: %#',
    (type, plain, compact) => {
      expect(() => decoded(type, classic, plain)).toThrow(DecodeError)
      expect(() => decoded(type, flexible, compact)).toThrow(DecodeError)
    },
  )
})

describe('array()', () => {
  test('read() refuses a count beyond the bytes that remain before it reads an element', () => {
    let reads = 0
    const counting: s.Type<number> = {
      resolve: () => ({ read: (reader) => ++reads + reader.int8(), write: () => undefined }),
    }
    expect(() => decoded(s.array(counting), classic, '7fffffff0102')).toThrow(DecodeError)
    expect(() => decoded(s.array(counting), flexible, 'ffffffff070102')).toThrow(DecodeError)
    expect(reads).toBe(0)
  })
})

describe('struct()', () => {
  const type = s.struct({
    second: s.tagged(3, 2, s.string, 'none'),
    id: s.int32,
    first: s.tagged(0, 2, s.array(s.int8), []),
    big: s.tagged(9, 3, s.int64, -1n),
    peer: s.taggedOptional(1, 2, s.struct({ port: s.int16 })),
  })
  const nothing = { id: 5, first: [], second: 'none', big: -1n, peer: null }

  test('write() leaves tagged fields with their default value out', () => {
    expect(encoded(type, flexible, nothing)).toBe('0000000500')
    expect(decoded(type, flexible, '0000000500')).toEqual(nothing)
  })

  test('write() puts tagged fields in ascending order whatever the order of declaration', () => {
    const value = { ...nothing, second: 'x', first: [4], peer: { port: 80 } }
    const hex = `00000005 03 00020204 0103005000 03020278`.replaceAll(' ', '')
    expect(encoded(type, flexible, value)).toBe(hex)
    expect(decoded(type, flexible, hex)).toEqual(value)
  })

  test('write() leaves tagged fields out of versions before theirs and of versions that are not flexible', () => {
    const value = { ...nothing, big: 8n, second: 'x' }
    expect(encoded(type, flexible, value)).toBe('000000050103020278')
    expect(encoded(type, classic, value)).toBe('00000005')
    expect(encoded(type, { version: 3, isFlexible: true }, value)).toBe(
      '0000000502030202780908' + '0000000000000008',
    )
  })

  test('read() takes a tagged field of a later version for unknown', () => {
    expect(decoded(type, flexible, `0000000501 0908 0000000000000008`.replaceAll(' ', ''))).toEqual(
      nothing,
    )
  })

  test.each([
    ['descending tags', '0000000502 0302 0278 0002 0204'],
    ['the same tag twice', '0000000502 0302 0278 0302 0278'],
    ['a size larger than the field', '0000000501 0303 027800'],
    ['a size smaller than the field', '0000000501 0301 0278'],
    ['an unknown tag that is cut off', '0000000501 6305 0000'],
    ['fewer tags than announced', '0000000502 0302 0278'],
  ])('read() refuses %s', (_what, hex) => {
    expect(() => decoded(type, flexible, hex.replaceAll(' ', ''))).toThrow(DecodeError)
  })

  test('read() gives absent fields a value that nobody can change for everybody', () => {
    const value = decoded(type, flexible, '0000000500')
    expect(() => value.first.push(1)).toThrow(TypeError)
  })

  test('fields exist in their versions only', () => {
    const versioned = s.struct({
      old: s.until(1, s.int8, -1),
      middle: s.between(1, 2, s.int8, -2),
      recent: s.since(2, s.int8, -3),
    })
    const value = { old: 1, middle: 2, recent: 3 }
    expect(encoded(versioned, { version: 0, isFlexible: false }, value)).toBe('01')
    expect(encoded(versioned, { version: 1, isFlexible: false }, value)).toBe('0102')
    expect(encoded(versioned, { version: 2, isFlexible: false }, value)).toBe('0203')
    expect(decoded(versioned, { version: 3, isFlexible: false }, '03')).toEqual({
      old: -1,
      middle: -2,
      recent: 3,
    })
  })
})

describe('nullableSince()', () => {
  test('read() refuses null before the version', () => {
    const type = s.nullableSince(2, s.nullableString)
    expect(() => decoded(type, classic, 'ffff')).toThrow(DecodeError)
    expect(decoded(type, { version: 2, isFlexible: false }, 'ffff')).toBeNull()
  })
})

describe('nullableStruct()', () => {
  test('is a byte, then the struct when there is one', () => {
    const type = s.nullableStruct(s.struct({ a: s.int8 }))
    expect(encoded(type, flexible, null)).toBe('ff')
    expect(encoded(type, flexible, { a: 5 })).toBe('010500')
    expect(decoded(type, flexible, 'ff')).toBeNull()
    expect(decoded(type, flexible, '010500')).toEqual({ a: 5 })
  })
})

describe('scalars', () => {
  test.each([
    [s.int8, -2, 'fe'],
    [s.int16, -2, 'fffe'],
    [s.uint16, 65534, 'fffe'],
    [s.int32, -2, 'fffffffe'],
    [s.uint32, 4294967294, 'fffffffe'],
    [s.int64, -2n, 'fffffffffffffffe'],
    [s.float64, -2, 'c000000000000000'],
    [s.boolean, true, '01'],
    [s.uuid, 'AAECAwQFBgcICQoLDA0ODw', '000102030405060708090a0b0c0d0e0f'],
    [s.uuid, zeroTopicId, '00'.repeat(16)],
  ] as [s.Type<unknown>, unknown, string][])('are big-endian: %#', (type, value, hex) => {
    expect(encoded(type, flexible, value)).toBe(hex)
    expect(decoded(type, classic, hex)).toEqual(value)
  })

  test('boolean takes every byte but zero for true', () => {
    expect(decoded(s.boolean, classic, '02')).toBe(true)
    expect(decoded(s.boolean, classic, 'ff')).toBe(true)
    expect(decoded(s.boolean, classic, '00')).toBe(false)
  })

  test('uuid write() stops a text that is not a topic id', () => {
    expect(() => encoded(s.uuid, classic, 'orders')).toThrow('not 16 bytes')
  })

  test('bytes are a view of the message and are written without a copy when large', () => {
    const message = Buffer.alloc(2004)
    message.writeInt32BE(2000)
    const value = codecOf(s.bytes, classic).read(new ByteReader(message))
    expect(value.buffer).toBe(message.buffer)
    const writer = new ByteWriter()
    codecOf(s.bytes, classic).write(writer, value)
    expect(writer.finishChunks()[1]).toBe(value)
  })
})
