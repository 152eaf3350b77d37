import { beforeEach, describe, expect, it } from 'vitest'
import { TestCluster } from './testing/cluster.ts'
import { electableUncleanly, mayNeedUnclean, uncleanElectionKey } from './unclean-elections.ts'

let cluster: TestCluster
beforeEach(() => {
  cluster = new TestCluster(1, 2, 3)
})

/** The replicas that could be elected. */
const electable = () =>
  [...electableUncleanly(cluster.image, cluster.settings)].map(({ replicas }) => replicas)

const onlyOneComplete = (configs: Record<string, string> = {}) => {
  cluster.topic([1, 2, 3], { 'min.insync.replicas': '1', ...configs })
  cluster.fence(2, 3, 1)
  expect(cluster.partition).toMatchObject({ leader: -1, isr: [], elr: [1] })
}

const allowed = { [uncleanElectionKey]: 'true' }

function setForBroker(broker: string, value: string | null): void {
  const operation = value === null ? 'delete' : 'set'
  const changes = [{ name: uncleanElectionKey, operation, value } as const]
  cluster.accepted({ type: 'alterBrokerConfig', broker, changes, validateOnly: false })
}

function setForTopic(value: string): void {
  const changes = [{ name: uncleanElectionKey, operation: 'set', value } as const]
  cluster.accepted({ type: 'alterTopicConfig', topic: 'orders', changes, validateOnly: false })
}

describe('who may be elected though it may lack records', () => {
  it('is whoever is back of a partition that nobody leads', () => {
    onlyOneComplete(allowed)
    expect(electable()).toEqual([])
    cluster.unfence(3)
    expect(electable()).toEqual([[3]])
    cluster.unfence(2)
    expect(electable()).toEqual([[2, 3]])
    // The complete one leads as soon as it is back.
    cluster.unfence(1)
    expect(cluster.partition.leader).toBe(1)
    expect(electable()).toEqual([])
  })

  it('is nobody where the only replica is away', () => {
    cluster.topic([1], allowed)
    cluster.fence(1)
    expect(electable()).toEqual([])
  })

  it('is nobody unless that is allowed', () => {
    onlyOneComplete()
    cluster.unfence(2)
    expect(electable()).toEqual([])
    setForTopic('true')
    expect(electable()).toEqual([[2]])
  })

  it('is allowed by the topic, else by the broker that is the controller, else by all, else by its file', () => {
    onlyOneComplete()
    cluster.unfence(2)
    const isAllowed = () => electable().length > 0
    const { settings } = cluster
    const { configDefault } = settings
    cluster.settings = {
      ...settings,
      configDefault: (name) => (name === uncleanElectionKey ? 'true' : configDefault(name)),
    }
    expect(isAllowed()).toBe(true)
    setForBroker('', 'false')
    expect(isAllowed()).toBe(false)
    setForBroker('2', 'true')
    expect(isAllowed()).toBe(false)
    setForBroker('1', 'true')
    expect(isAllowed()).toBe(true)
    setForTopic('false')
    expect(isAllowed()).toBe(false)
    setForTopic('true')
    setForBroker('1', 'false')
    expect(isAllowed()).toBe(true)
  })
})

describe('there may be more to elect after', () => {
  const after = (change: () => void) => {
    change()
    return mayNeedUnclean(cluster.records)
  }

  it.each<[string, boolean, () => void]>([
    ['a fence that leaves nobody to lead', true, () => cluster.fence(1)],
    ['a broker that is back', true, () => cluster.unfence(3)],
    ['a setting of a topic', true, () => setForTopic('true')],
    ['a setting of all', true, () => setForBroker('', 'true')],
    ['a broker that starts', false, () => cluster.start(3)],
    ['another in-sync set', false, () => cluster.propose([1], { bump: true })],
  ])('%s: %s', (_, expected, change) => {
    cluster.topic([1, 2, 3], { 'min.insync.replicas': '1' })
    cluster.fence(2, 3)
    expect(after(change)).toBe(expected)
  })

  it('what did not concern it, not', () => {
    cluster.topic([1, 2, 3])
    expect(after(() => cluster.fence(1))).toBe(false)
    const changes = [{ name: 'retention.ms', operation: 'set', value: '1' } as const]
    const request = { topic: 'orders', changes, validateOnly: false }
    expect(after(() => cluster.accepted({ type: 'alterTopicConfig', ...request }))).toBe(false)
  })

  it('a partition that is moved from where its only complete replica was', () => {
    cluster.topic([1])
    const { records } = cluster
    expect(mayNeedUnclean(records)).toBe(false)
    const leaderless = { type: 'partition', ...cluster.partition, leader: -1 } as const
    expect(mayNeedUnclean([leaderless])).toBe(true)
  })
})
