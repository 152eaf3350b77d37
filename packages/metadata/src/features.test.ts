import { beforeEach, describe, expect, it } from 'vitest'
import { initialLevels, supportedFeatures } from './feature-levels.ts'
import { upgradeTypes } from './features.ts'
import { TestCluster } from './testing/cluster.ts'

let cluster: TestCluster
beforeEach(() => {
  cluster = new TestCluster(1, 2)
})

const update = (name: string, level: number, upgradeType: number, validateOnly = false) =>
  cluster.refused({
    type: 'updateFeatures',
    updates: [{ name, level, upgradeType }],
    validateOnly,
  })

const { upgrade, safeDowngrade, unsafeDowngrade } = upgradeTypes

describe('a feature level (KIP-584)', () => {
  it('begins within what this program supports', () => {
    for (const { name, level } of initialLevels) {
      expect(cluster.image.features.get(name)).toBe(level)
      const range = supportedFeatures.find((feature) => feature.name === name)
      expect(level).toBeGreaterThanOrEqual(range?.min ?? Number.NaN)
      expect(level).toBeLessThanOrEqual(range?.max ?? Number.NaN)
    }
  })

  it('goes up by an upgrade, down by a downgrade, and stays by either', () => {
    expect(update('metadata.version', 31, upgrade)).toBeUndefined()
    expect(cluster.image.features.get('metadata.version')).toBe(31)
    expect(update('metadata.version', 30, safeDowngrade)).toBeUndefined()
    expect(update('metadata.version', 28, unsafeDowngrade)).toBeUndefined()
    expect(update('metadata.version', 28, upgrade)).toBeUndefined()
    expect(cluster.records).toEqual([])
    expect(cluster.image.features.get('metadata.version')).toBe(28)
  })

  it('is only checked with validateOnly', () => {
    expect(update('metadata.version', 30, upgrade, true)).toBeUndefined()
    expect(update('metadata.version', 32, upgrade, true)).toBe('INVALID_UPDATE_VERSION')
    expect(cluster.image.features.get('metadata.version')).toBe(29)
  })

  it.each<[string, string, number, number]>([
    ['an upgrade that goes down', 'metadata.version', 28, upgrade],
    ['a downgrade that goes up', 'metadata.version', 30, safeDowngrade],
    ['an unknown kind of change', 'metadata.version', 30, 0],
    ['a negative level', 'metadata.version', -1, unsafeDowngrade],
    ['a level beyond the controller', 'metadata.version', 32, upgrade],
    ['a level before the controller', 'metadata.version', 6, unsafeDowngrade],
    ['an unknown feature', 'group.version', 1, upgrade],
    ['the end of our own formats', 'naru.version', 0, unsafeDowngrade],
  ])('is not changed by %s', (_, name, level, upgradeType) => {
    expect(update(name, level, upgradeType)).toBe('INVALID_UPDATE_VERSION')
  })

  it('goes no further than every registered broker supports, fenced or not', () => {
    const features = [
      { name: 'metadata.version', min: 7, max: 29 },
      { name: 'naru.version', min: 1, max: 2 },
    ]
    cluster.start(3, { features })
    expect(update('metadata.version', 30, upgrade)).toBe('INVALID_UPDATE_VERSION')
    cluster.accepted({ type: 'unregisterBroker', nodeId: 3 })
    expect(update('metadata.version', 30, upgrade)).toBeUndefined()
  })

  it('is changed with all others or not at all', () => {
    const refused = cluster.refused({
      type: 'updateFeatures',
      updates: [
        { name: 'metadata.version', level: 30, upgradeType: upgrade },
        { name: 'naru.version', level: 9, upgradeType: upgrade },
      ],
      validateOnly: false,
    })
    expect(refused).toBe('INVALID_UPDATE_VERSION')
    expect(cluster.image.features.get('metadata.version')).toBe(29)
    const twice = { name: 'metadata.version', level: 30, upgradeType: upgrade }
    const command = {
      type: 'updateFeatures',
      updates: [twice, twice],
      validateOnly: false,
    } as const
    expect(cluster.refused(command)).toBe('INVALID_REQUEST')
  })

  it('lets programs of two versions form a cluster at the older level', () => {
    const older = [
      { name: 'metadata.version', min: 7, max: 29 },
      { name: 'naru.version', min: 1, max: 1 },
    ]
    const newer = [
      { name: 'metadata.version', min: 7, max: 40 },
      { name: 'naru.version', min: 1, max: 2 },
    ]
    const mixed = new TestCluster()
    mixed.start(1, { features: older })
    mixed.start(2, { features: newer })
    mixed.unfence(1, 2)
    expect(mixed.image.features.get('naru.version')).toBe(1)
    mixed.topic([1, 2])
    expect(mixed.partition.isr).toEqual([1, 2])
    mixed.fence(1)
    expect(mixed.records.map(({ type }) => type)).toEqual(['change', 'brokerState', 'partition'])
    expect(mixed.partition).toMatchObject({ leader: 2, isr: [2], elr: [1] })
  })

  it('is written at as soon as it holds', () => {
    const older = new TestCluster()
    const features = [
      { name: 'metadata.version', min: 7, max: 29 },
      { name: 'naru.version', min: 1, max: 1 },
    ]
    older.start(1, { features })
    older.start(1)
    older.unfence(1)
    older.topic([1])
    const updates = [{ name: 'naru.version', level: 2, upgradeType: upgrade }]
    older.accepted({ type: 'updateFeatures', updates, validateOnly: false })
    older.fence(1)
    const types = older.records.map(({ type }) => type)
    expect(types).toEqual(['change', 'brokerState', 'partitionStates'])
    expect(older.partition).toMatchObject({ leader: -1, isr: [], elr: [1], leaderEpoch: 1 })
  })
})
