import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ByteReader, DecodeError } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'

it('ByteReader reads what ByteWriter wrote, however often the buffer grew', () => {
  const values = fc.array(
    fc.record({
      int32: fc.integer(),
      varint: fc.integer(),
      varlong: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      text: fc.string(),
      bytes: fc.uint8Array({ maxLength: 3_000 }),
    }),
  )
  fc.assert(
    fc.property(values, (list) => {
      const writer = new ByteWriter(4)
      for (const value of list) {
        writer.int32(value.int32)
        writer.varint(value.varint)
        writer.varlong(value.varlong)
        writer.int64(value.int64)
        writer.unsignedVarint(Buffer.byteLength(value.text))
        writer.utf8(value.text)
        writer.int32(value.bytes.length)
        writer.reference(Buffer.from(value.bytes))
      }
      const size = writer.position
      const bytes = Buffer.concat(writer.finishChunks())
      expect(bytes.length).toBe(size)
      const reader = new ByteReader(bytes)
      for (const value of list) {
        expect(reader.int32()).toBe(value.int32)
        expect(reader.varint()).toBe(value.varint)
        expect(reader.varlong()).toBe(value.varlong)
        expect(reader.int64()).toBe(value.int64)
        expect(reader.utf8(reader.unsignedVarint())).toBe(value.text)
        expect(reader.bytes(reader.int32())).toEqual(Buffer.from(value.bytes))
      }
      expect(reader.remaining).toBe(0)
    }),
  )
})

it('ByteReader throws DecodeError for any read past the end', () => {
  const reader = new ByteReader(Buffer.from([0xff, 0xff, 0xff]))
  expect(() => reader.int32()).toThrow(DecodeError)
  expect(() => reader.bytes(4)).toThrow(DecodeError)
  expect(() => reader.bytes(-1)).toThrow(DecodeError)
  expect(() => reader.unsignedVarint()).toThrow(DecodeError)
})

it('ByteReader refuses varints that are longer than their type', () => {
  const long = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01])
  expect(() => new ByteReader(long).unsignedVarint()).toThrow(DecodeError)
  expect(() => new ByteReader(long).varlong()).toThrow(DecodeError)
})
