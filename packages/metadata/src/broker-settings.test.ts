import { describe, expect, it } from 'vitest'
import { brokerSetting } from './broker-settings.ts'
import type { ConfigChange } from './configs.ts'
import { TestCluster } from './testing/cluster.ts'

const name = 'leader.replication.throttled.rate'

function altered(cluster: TestCluster, broker: string, ...changes: ConfigChange[]) {
  return cluster.refused({ type: 'alterBrokerConfig', broker, changes, validateOnly: false })
}

describe('settings of brokers that run', () => {
  it("a broker's own goes before that of all, and without both there is no limit", () => {
    const cluster = new TestCluster(1, 2)
    const rates = () => [1, 2].map((id) => brokerSetting(cluster.image, id, name))
    const unlimited = '9223372036854775807'
    expect(rates()).toEqual([unlimited, unlimited])
    expect(altered(cluster, '1', { name, operation: 'set', value: ' 0700' })).toBeUndefined()
    expect(rates()).toEqual(['700', unlimited])
    expect(altered(cluster, '', { name, operation: 'set', value: '900' })).toBeUndefined()
    expect(rates()).toEqual(['700', '900'])
    expect(altered(cluster, '1', { name, operation: 'delete', value: null })).toBeUndefined()
    expect(rates()).toEqual(['900', '900'])
  })

  it.each<[string, ConfigChange[]]>([
    ['INVALID_REQUEST', [{ name, operation: 'set', value: 'fast' }]],
    ['INVALID_CONFIG', [{ name, operation: 'append', value: '1' }]],
    ['INVALID_REQUEST', [{ name, operation: 'set', value: null }]],
    ['INVALID_REQUEST', [{ name: 'log.dirs', operation: 'set', value: '/x' }]],
    ['INVALID_REQUEST', [1, 2].map(() => ({ name, operation: 'set', value: '1' }))],
  ])('refuses with %s: %j', (error, changes) => {
    const cluster = new TestCluster(1)
    expect(altered(cluster, '1', ...changes)).toBe(error)
    expect(cluster.image.configs.size).toBe(0)
  })

  it('takes back what is not there, whatever it is', () => {
    const cluster = new TestCluster(1)
    expect(altered(cluster, '1', { name: 'x', operation: 'delete', value: null })).toBeUndefined()
    expect(cluster.records).toEqual([])
  })
})
