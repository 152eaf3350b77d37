import { expect, it } from 'vitest'
import { brokerSettingKeys, checkedBrokerSetting, rateOf } from './broker-settings.ts'
import { parseThrottledReplicas } from './throttled-replicas.ts'

it.each(brokerSettingKeys.filter(({ name }) => name.endsWith('.rate')))(
  '$name is a rate that is not negative, and without limit at first',
  (key) => {
    expect(checkedBrokerSetting(key, ' +02000 ')).toEqual({ value: '2000' })
    for (const bad of ['-1', 'fast', '', '1.5', '9223372036854775808']) {
      expect(checkedBrokerSetting(key, bad).problem, bad).toContain(key.name)
    }
    expect(rateOf('2000')).toBe(2_000)
    expect(rateOf(key.default)).toBe(Number.POSITIVE_INFINITY)
  },
)

it.each([
  ['', []],
  ['*', ['0:1', '0:2', '7:1']],
  ['0:1', ['0:1']],
  [' 00:1 , 7:01,', ['0:1', '7:1']],
])('the throttled replicas %j', (value, throttled) => {
  const replicas = parseThrottledReplicas(value)
  const asked: [number, number][] = [
    [0, 1],
    [0, 2],
    [7, 1],
  ]
  const found = asked.filter(([partition, broker]) => replicas.has(partition, broker))
  expect(found.map((pair) => pair.join(':'))).toEqual(throttled)
})
