import { expect, test } from 'vitest'
import { apis } from './apis/index.ts'
import { protocolPage } from './protocol-page.ts'

test('protocolPage() has a row for every API in the order of the keys', () => {
  const rows = protocolPage()
    .split('\n')
    .filter((line) => /^\| \d/.test(line))
  const keys = rows.map((row) => Number(row.split('|')[1]))
  expect(keys).toEqual(
    Object.values(apis)
      .map((api) => api.key)
      .sort((a, b) => a - b),
  )
  expect(rows[0]).toBe('| 0 | Produce | 0-13 (0 to 2 are refused) | 9+ |')
  expect(rows[1]).toBe('| 1 | Fetch | 4-18 | 12+ |')
})
