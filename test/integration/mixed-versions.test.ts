// Brokers of two versions of the program in one cluster, as in a rolling upgrade (KIP-584): real processes that know other levels.
import { apis } from '@naru/protocol'
import { expect, it } from 'vitest'
import type { ClusterBroker } from '../support/cluster-broker.ts'
import { auditCreations } from '../support/creation-audit.ts'
import { eventually } from '../support/eventually.ts'
import { otherVersion } from '../support/other-version.ts'
import { prepareCluster } from '../support/reported-cluster.ts'
import { TopicCreators } from '../support/topic-creators.ts'

const older = otherVersion({ 'metadata.version': [7, 29], 'naru.version': [1, 2] })
const newer = otherVersion({ 'metadata.version': [7, 31], 'naru.version': [1, 3] })
const invalidUpdateVersion = 95

/** The levels that hold in the cluster, as a broker shows them. */
async function levelsSeenBy(broker: ClusterBroker): Promise<Record<string, number>> {
  const client = { clientSoftwareName: 'test', clientSoftwareVersion: '1' }
  const answer = await broker.ask(apis.apiVersions, 3, client)
  const levels = answer?.finalizedFeatures.map((each) => [each.name, each.maxVersionLevel] as const)
  return Object.fromEntries(levels ?? [])
}

async function raise(broker: ClusterBroker, feature: string, maxVersionLevel: number) {
  const update = { feature, maxVersionLevel, allowDowngrade: false, upgradeType: 1 }
  const request = { timeoutMs: 10_000, featureUpdates: [update], validateOnly: false }
  return broker.ask(apis.updateFeatures, 2, request)
}

it('forms at the level that all know, rises when all know more, and takes no older one then', async () => {
  await using cluster = await prepareCluster()
  const [first, second, third] = cluster.brokers as [ClusterBroker, ClusterBroker, ClusterBroker]
  first.otherVersion = newer
  second.otherVersion = newer
  third.otherVersion = older
  await cluster.startAll()
  await using creators = new TopicCreators(cluster.brokers)
  await creators.more(20)
  for (const broker of cluster.brokers) {
    expect(await levelsSeenBy(broker)).toEqual({ 'metadata.version': 29, 'naru.version': 2 })
  }

  // Fenced counts as well: it will have to read what is written meanwhile.
  const refused = { errorCode: invalidUpdateVersion }
  expect(await raise(third, 'metadata.version', 31)).toMatchObject(refused)
  await third.stop()
  expect(await raise(first, 'metadata.version', 31)).toMatchObject({
    ...refused,
    errorMessage: 'Cannot set metadata.version to 31: broker 3 supports 7 to 29',
  })
  expect(await raise(second, 'naru.version', 3)).toMatchObject(refused)

  third.otherVersion = newer
  await third.start()
  expect(await raise(third, 'metadata.version', 31)).toMatchObject({ errorCode: 0 })
  expect(await raise(first, 'naru.version', 3)).toMatchObject({ errorCode: 0 })
  await creators.more(20)
  for (const broker of cluster.brokers) {
    await eventually(`broker ${broker.id} shows the new levels`, async () => {
      const levels = await levelsSeenBy(broker)
      return (levels['metadata.version'] === 31 && levels['naru.version'] === 3) || undefined
    })
  }

  await third.stop()
  third.otherVersion = older
  third.launch()
  expect(await third.ended()).toBe(1)
  expect(third.process.tail).toContain('The cluster is at metadata.version 31: broker 3 knows 7')
  expect(third.process.tail).toContain('naru cluster features')
  await creators.more(20)
  third.otherVersion = undefined
  third.launch()
  // This version knows its own formats up to level 2 only.
  expect(await third.ended()).toBe(1)
  third.otherVersion = newer
  await third.start()
  expect(await auditCreations(cluster, await creators.stop())).toEqual([])
}, 120_000)
