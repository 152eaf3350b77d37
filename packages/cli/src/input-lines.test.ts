import { expect, it } from 'vitest'
import { linesOf } from './input-lines.ts'

async function lines(chunks: readonly (string | Buffer)[], bytesMax = 1_000): Promise<string[]> {
  const found: string[] = []
  for await (const line of linesOf(stream(chunks), bytesMax)) found.push(line.toString('latin1'))
  return found
}

async function* stream(chunks: readonly (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const chunk of chunks) yield Buffer.from(chunk)
}

it.each([
  [['a\nb\n'], ['a', 'b']],
  [['a\nb'], ['a', 'b']],
  [
    ['a', 'b', 'c\nd', '\n'],
    ['abc', 'd'],
  ],
  [
    ['a\r\nb\rc\r', '\n'],
    ['a', 'b\rc'],
  ],
  [['\n\n'], ['', '']],
  [[], []],
])('linesOf(%j)', async (chunks, expected) => {
  expect(await lines(chunks)).toEqual(expected)
})

it('keeps bytes that are not text', async () => {
  expect(await lines([Buffer.from([0xff, 0x00, 0x0a, 0xe2, 0x80, 0xa8])])).toEqual([
    '\xff\x00',
    '\xe2\x80\xa8',
  ])
})

it('bounds a line', async () => {
  expect(await lines(['12345\n12345\n'], 5)).toHaveLength(2)
  await expect(lines(['123', '456'], 5)).rejects.toThrow(RangeError)
})
