import { describe, expect, it } from 'vitest'
import { type ConfigKey, canonicalValue, invalidValue } from './config-key.ts'
import { checkedTopicConfig } from './topic-config.ts'

function key(type: ConfigKey['type'], more: Partial<ConfigKey> = {}): ConfigKey {
  return { name: 'k', type, default: '', effect: 'works', documentation: '', ...more }
}

describe('canonicalValue()', () => {
  it.each<[ConfigKey['type'], string, string]>([
    ['int', ' +007 ', '7'],
    ['long', '-0', '0'],
    ['boolean', ' TRUE', 'true'],
    ['string', ' a ', 'a'],
    ['int', 'many', 'many'],
    ['int', '9'.repeat(40), '9'.repeat(40)],
    ['double', '1e-1', '1e-1'],
  ])('%s %j is %j', (type, given, canonical) => {
    expect(canonicalValue(key(type), given)).toBe(canonical)
  })
})

describe('invalidValue()', () => {
  it.each<[ConfigKey, string[], string[]]>([
    [key('short'), ['-32768', '32767'], ['-32769', '32768', '', '1.0', '0x1']],
    [key('int'), ['-2147483648', '2147483647'], ['2147483648', '-2147483649', '+1']],
    [key('long'), ['9223372036854775807'], ['9223372036854775808', '9'.repeat(40)]],
    [key('int', { min: 4, max: 9 }), ['4', '9'], ['3', '10']],
    [key('int', { oneOf: ['-1', '1'] }), ['-1', '1'], ['0']],
    [key('double', { min: 0 }), ['0', '.5', '1.', '1e-1'], ['-0.1', '', '1e', 'NaN', '0x1']],
    [key('boolean'), ['true', 'false'], ['yes', '']],
    [key('list', { oneOf: ['a', 'b'] }), ['', 'a', 'b, a'], ['a,', 'c', ',']],
    [key('string', { form: { pattern: /^x/, words: 'an x' } }), ['x'], ['y', '']],
  ])('%j', (of, good, bad) => {
    expect(good.map((value) => invalidValue(of, value))).toEqual(good.map(() => undefined))
    for (const value of bad) expect(invalidValue(of, value), value).toBeTypeOf('string')
  })
})

describe('checkedTopicConfig()', () => {
  it('gives the value that is kept, or the reason', () => {
    expect(checkedTopicConfig('retention.ms', ' +5')).toEqual({ value: '5' })
    expect(checkedTopicConfig('preallocate', 'TRUE')).toEqual({ value: 'true' })
    expect(checkedTopicConfig('retention.mss', '5').problem).toContain('retention.ms')
    expect(checkedTopicConfig('cleanup.policy', 'compact').problem).toContain('compaction')
  })

  it.each(['leader', 'follower'])(
    'takes lists of replicas for those that the %s throttles',
    (side) => {
      const problemOf = (value: string) =>
        checkedTopicConfig(`${side}.replication.throttled.replicas`, value).problem
      for (const value of ['', '*', '0:1', '0:1, 1:2', '0:1,'])
        expect(problemOf(value)).toBeUndefined()
      for (const value of ['1', '*,0:1', 'none', '0:1;1:2'])
        expect(problemOf(value)).toBeTypeOf('string')
    },
  )
})
