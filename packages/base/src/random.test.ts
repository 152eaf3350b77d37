import { expect, it } from 'vitest'
import { randomId } from './random.ts'

it('makes ids of 22 characters that no tool takes for an option', () => {
  for (let first = 0; first < 256; first++) {
    const drawn = Buffer.alloc(16, first)
    const id = randomId({ uint32: () => 0, bytes: () => Buffer.from(drawn) })
    expect(id).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
    if (drawn.toString('base64url')[0] !== '-') expect(id).toBe(drawn.toString('base64url'))
  }
})
