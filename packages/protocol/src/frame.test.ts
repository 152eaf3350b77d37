import { DecodeError } from '@naru/base'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameSplitter } from './frame.ts'

function framed(content: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(content.length)
  return Buffer.concat([length, content])
}

test('push() gives the same frames however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }),
      (contents, sizes) => {
        const stream = Buffer.concat(contents.map(framed))
        const splitter = new FrameSplitter(40)
        const frames: Buffer[] = []
        let at = 0
        for (let i = 0; at < stream.length; i++) {
          const size = sizes[i % sizes.length] as number
          frames.push(...splitter.push(stream.subarray(at, at + size)))
          at += size
        }
        expect(frames.map((frame) => [...frame])).toEqual(contents.map((content) => [...content]))
        expect(splitter.pendingBytes).toBe(0)
      },
    ),
  )
})

test('push() gives views of a chunk that holds whole frames', () => {
  const chunk = Buffer.concat([framed(Buffer.from('ab')), framed(Buffer.from('c'))])
  const frames = [...new FrameSplitter(10).push(chunk)]
  expect(frames.map(String)).toEqual(['ab', 'c'])
  for (const frame of frames) expect(frame.buffer).toBe(chunk.buffer)
})

test.each([
  ['negative', 'ffffffff'],
  ['the smallest', '80000000'],
  ['larger than allowed', '0000000b'],
])('push() refuses a length that is %s', (_what, hex) => {
  const length = Buffer.from(hex, 'hex')
  expect(() => [...new FrameSplitter(10).push(length)]).toThrow(DecodeError)
  const splitter = new FrameSplitter(10)
  expect(() => {
    for (const byte of length) expect([...splitter.push(Buffer.of(byte))]).toEqual([])
  }).toThrow(DecodeError)
})

test('push() gives the frames before a length that it refuses', () => {
  const bytes = Buffer.concat([framed(Buffer.from('ab')), Buffer.from('ffffffff', 'hex')])
  const frames: string[] = []
  expect(() => {
    for (const frame of new FrameSplitter(10).push(bytes)) frames.push(String(frame))
  }).toThrow(DecodeError)
  expect(frames).toEqual(['ab'])
})

test('push() takes a frame of exactly the limit', () => {
  expect([...new FrameSplitter(10).push(framed(Buffer.alloc(10)))]).toHaveLength(1)
})

test('push() keeps only what has arrived of a large frame', () => {
  const splitter = new FrameSplitter(1 << 30)
  expect([...splitter.push(Buffer.from('3fffffff61', 'hex'))]).toEqual([])
  expect(splitter.pendingBytes).toBe(5)
})

test('push() copies the bytes of a frame that comes in many chunks once', () => {
  const size = 100_000
  const stream = framed(Buffer.alloc(size, 7))
  const splitter = new FrameSplitter(size)
  const copies: number[] = []
  const concat = Buffer.concat
  Buffer.concat = (list, total) => {
    const whole = concat(list as Buffer[], total)
    copies.push(whole.length)
    return whole
  }
  try {
    for (let i = 0; i < stream.length - 1; i++) {
      expect([...splitter.push(stream.subarray(i, i + 1))]).toEqual([])
    }
    expect([...splitter.push(stream.subarray(-1))][0]).toHaveLength(size)
  } finally {
    Buffer.concat = concat
  }
  expect(copies.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(size + 32)
})
