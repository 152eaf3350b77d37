import { expect, it } from 'vitest'
import { parseTemplate } from './record-template.ts'

const record = {
  topic: 'orders',
  partition: 2,
  offset: 9_007_199_254_740_993n,
  timestamp: 1_700_000_000_000n,
  key: Buffer.from('k'),
  value: Buffer.from([0xff, 0x00]),
  headers: [
    { key: 'a', value: Buffer.from('1') },
    { key: 'b', value: null },
  ],
}

function printed(template: string): Buffer {
  const printer = parseTemplate(template)
  if (typeof printer === 'string') throw new Error(printer)
  return printer(record)
}

it('prints each verb and escape', () => {
  const text = printed('%t/%p@%o %T %k [%h] 100%%\\n\\t\\\\').toString()
  expect(text).toBe('orders/2@9007199254740993 1700000000000 k [a=1,b=] 100%\n\t\\')
})

it('prints bytes as they are', () => {
  expect(printed('%v')).toEqual(record.value)
})

it.each([
  ['%q', '%q'],
  ['50%', '%'],
  ['a\\', '\\'],
  ['\\x', '\\x'],
])('says what it cannot read in %s', (template, part) => {
  expect(parseTemplate(template)).toBe(part)
})
