import { expect, test } from 'vitest'
import { errorsPage } from './errors-page.ts'
import { type NaruErrorEntry, naruErrors } from './naru-errors.ts'

const all = Object.values<NaruErrorEntry>(naruErrors)

test('naruErrors has each code once', () => {
  expect(new Set(all.map(({ code }) => code)).size).toBe(all.length)
  for (const { code } of all) expect(code).toMatch(/^NARU-[A-Z]{3}-\d{3}$/)
})

test('errorsPage() has a row for every one', () => {
  for (const { code, name } of all) expect(errorsPage()).toContain(`| ${code} | ${name} |`)
})
