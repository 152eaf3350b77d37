import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { mutate } from './mutate.ts'
import { mutations } from './mutations.ts'

const root = new URL('../../../../', import.meta.url)

describe.each([...mutations])('a mutation of %s', (_, list) => {
  it.each(list.map((mutation) => [mutation.rule, mutation] as const))(
    '%s finds its place',
    (_rule, mutation) => {
      const text = readFileSync(new URL(mutation.file, root), 'utf8')
      expect(mutate(text, mutation)).not.toBe(text)
    },
  )

  it('has a name of its own', () => {
    const rules = list.map(({ rule }) => rule)
    expect(new Set(rules).size).toBe(rules.length)
  })
})
