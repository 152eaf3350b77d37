// What the handlers of the quorum and of the cluster make of a request, and of what the port answers.
import { emptyImage, type Refusal, refusal } from '@naru/metadata'
import { kafkaErrors, zeroTopicId } from '@naru/model'
import type { Handler, RequestContext } from '@naru/network'
import type { ClusterAdmin, FeatureUpdate, QuorumStatus, VoterKey } from '@naru/services'
import { SimulatedClock } from '@naru/simulator'
import { describe, expect, it } from 'vitest'
import type { Ports } from '../ports.ts'
import { addRaftVoter } from './add-raft-voter.ts'
import { describeCluster } from './describe-cluster.ts'
import { describeQuorum } from './describe-quorum.ts'
import { removeRaftVoter } from './remove-raft-voter.ts'
import { unregisterBroker } from './unregister-broker.ts'
import { updateFeatures } from './update-features.ts'

const directoryId = 'AAAAAAAAAAAAAAAAAAAAEA'
const unknown = { logEndOffset: -1n, lastFetchMs: -1, lastCaughtUpMs: -1 }

const status: QuorumStatus = {
  leaderId: 2,
  leaderEpoch: 7,
  highWatermark: 1n << 40n,
  voters: [
    { nodeId: 2, directoryId, logEndOffset: 90n, lastFetchMs: 1_000, lastCaughtUpMs: 1_000 },
    { nodeId: 3, directoryId, ...unknown },
  ],
  observers: [{ nodeId: 9, directoryId: zeroTopicId, ...unknown }],
  nodes: [{ nodeId: 2, endpoints: [{ listener: 'internal', host: 'h', port: 9291 }] }],
}

/** A port that notes what it is asked and gives one answer to all of it. */
class FakeCluster implements ClusterAdmin {
  health(): Promise<never> {
    return Promise.reject(new Error('The Kafka protocol does not ask for it'))
  }

  readonly controllerId = 2
  readonly asked: unknown[] = []
  refusal: Refusal | undefined

  async quorum() {
    return this.refusal ?? status
  }

  async addVoter(voter: VoterKey, timeoutMs: number) {
    return this.#note('add', { ...voter, timeoutMs })
  }

  async removeVoter(voter: VoterKey) {
    return this.#note('remove', voter)
  }

  async transferLeader(nodeId: number) {
    return this.#note('transfer', nodeId)
  }

  async unregisterBroker(nodeId: number) {
    return this.#note('unregister', nodeId)
  }

  async updateFeatures(
    updates: readonly FeatureUpdate[],
    how: { validateOnly: boolean; timeoutMs: number },
  ) {
    return this.#note('features', { updates, ...how })
  }

  #note(what: string, about: unknown) {
    this.asked.push([what, about])
    return this.refusal
  }
}

const image = emptyImage()
image.clusterId = 'cluster'
const metadata = { image } as Ports['metadata']

async function ask<Q, R>(handler: Handler<Q, R>, request: Q, apiVersion = handler.api.maxVersion) {
  const context = { apiVersion, listener: 'PLAINTEXT' } as RequestContext
  return handler.handle(request, context)
}

describe('DescribeQuorum', () => {
  const asking = (...topics: readonly [name: string, ...partitions: number[]][]) => ({
    topics: topics.map(([topicName, ...partitions]) => ({
      topicName,
      partitions: partitions.map((partitionIndex) => ({ partitionIndex })),
    })),
  })

  it('gives voters, observers and addresses, -1 for what is not known', async () => {
    const answer = await ask(
      describeQuorum({ cluster: new FakeCluster() }),
      asking(['__cluster_metadata', 0]),
    )
    const nothing = { logEndOffset: -1n, lastFetchTimestamp: -1n, lastCaughtUpTimestamp: -1n }
    expect(answer).toEqual({
      errorCode: 0,
      errorMessage: '',
      topics: [
        {
          topicName: '__cluster_metadata',
          partitions: [
            {
              partitionIndex: 0,
              errorCode: 0,
              errorMessage: '',
              leaderId: 2,
              leaderEpoch: 7,
              highWatermark: 1n << 40n,
              currentVoters: [
                {
                  replicaId: 2,
                  replicaDirectoryId: directoryId,
                  logEndOffset: 90n,
                  lastFetchTimestamp: 1_000n,
                  lastCaughtUpTimestamp: 1_000n,
                },
                { replicaId: 3, replicaDirectoryId: directoryId, ...nothing },
              ],
              observers: [{ replicaId: 9, replicaDirectoryId: zeroTopicId, ...nothing }],
            },
          ],
        },
      ],
      nodes: [{ nodeId: 2, listeners: [{ name: 'INTERNAL', host: 'h', port: 9291 }] }],
    })
  })

  it.each([
    ['another topic', asking(['orders', 0])],
    ['another partition', asking(['__cluster_metadata', 1])],
    ['more than the one partition', asking(['__cluster_metadata', 0, 1])],
    ['another topic beside it', asking(['__cluster_metadata', 0], ['orders', 0])],
    ['it twice', asking(['__cluster_metadata', 0], ['__cluster_metadata', 0])],
  ])('knows nothing when asked for %s', async (_, request) => {
    const answer = await ask(describeQuorum({ cluster: new FakeCluster() }), request)
    expect(answer).toMatchObject({
      errorCode: 0,
      topics: request.topics.map(({ partitions }) => ({
        partitions: partitions.map(() => ({ errorCode: 3, currentVoters: [], leaderId: 0 })),
      })),
      nodes: [],
    })
  })

  it('says at the top why there is no answer', async () => {
    const cluster = new FakeCluster()
    cluster.refusal = refusal(kafkaErrors.NOT_CONTROLLER, 'nobody leads')
    const answer = await ask(describeQuorum({ cluster }), asking(['__cluster_metadata', 0]))
    expect(answer).toEqual({ errorCode: 41, errorMessage: 'nobody leads', topics: [], nodes: [] })
  })
})

// Only an addition has a time in its request.
describe.each([
  ['AddRaftVoter', 'add', addRaftVoter, { timeoutMs: 40_000 }],
  ['RemoveRaftVoter', 'remove', removeRaftVoter, {}],
] as const)('%s', (_, what, handlerOf, time) => {
  const portsOf = (cluster: FakeCluster) => ({ cluster, metadata, clock: new SimulatedClock() })
  const change = (fields: { clusterId?: string; voterId?: number; directory?: string }) => ({
    clusterId: fields.clusterId ?? null,
    timeoutMs: 40_000,
    voterId: fields.voterId ?? 4,
    voterDirectoryId: fields.directory ?? directoryId,
    listeners: [],
    ackWhenCommitted: true,
  })

  it.each([{}, { clusterId: 'cluster' }])('asks for what is in %j', async (fields) => {
    const cluster = new FakeCluster()
    const answer = await ask(handlerOf(portsOf(cluster)) as Handler, change(fields))
    expect(answer).toEqual({ throttleTimeMs: 0, errorCode: 0, errorMessage: null })
    expect(cluster.asked).toEqual([[what, { nodeId: 4, directoryId, ...time }]])
  })

  it.each([
    [{ clusterId: 'another' }, 'INCONSISTENT_CLUSTER_ID'],
    [{ clusterId: '' }, 'INCONSISTENT_CLUSTER_ID'],
    [{ voterId: -1 }, 'INVALID_REQUEST'],
    [{ directory: zeroTopicId }, 'INVALID_REQUEST'],
  ] as const)('refuses %j with %s and asks nothing', async (fields, name) => {
    const cluster = new FakeCluster()
    const answer = await ask(handlerOf(portsOf(cluster)) as Handler, change(fields))
    expect(answer).toMatchObject({ errorCode: kafkaErrors[name].code })
    expect(cluster.asked).toEqual([])
  })

  it('hands a refusal on', async () => {
    const cluster = new FakeCluster()
    cluster.refusal = refusal(kafkaErrors.DUPLICATE_VOTER, 'it is one')
    const answer = await ask(handlerOf(portsOf(cluster)) as Handler, change({}))
    expect(answer).toEqual({ throttleTimeMs: 0, errorCode: 126, errorMessage: 'it is one' })
  })
})

describe('UnregisterBroker', () => {
  it('asks for the broker and hands a refusal on', async () => {
    const cluster = new FakeCluster()
    const handler = unregisterBroker({ cluster })
    expect(await ask(handler, { brokerId: 5 })).toMatchObject({ errorCode: 0 })
    expect(cluster.asked).toEqual([['unregister', 5]])
    cluster.refusal = refusal(kafkaErrors.BROKER_ID_NOT_REGISTERED, 'there is none')
    expect(await ask(handler, { brokerId: 6 })).toMatchObject({ errorCode: 102 })
  })
})

describe('UpdateFeatures', () => {
  const clock = new SimulatedClock()
  const update = (feature: string, upgradeType: number, allowDowngrade = false) => {
    return { feature, maxVersionLevel: 3, upgradeType, allowDowngrade }
  }
  const asking = (...featureUpdates: ReturnType<typeof update>[]) => {
    return { timeoutMs: 7_000, featureUpdates, validateOnly: true }
  }

  it('asks for all updates at once, of each kind, within the time of the request', async () => {
    const cluster = new FakeCluster()
    const request = asking(update('a', 1), update('b', 2), update('c', 3), update('d', 1, true))
    const answer = await ask(updateFeatures({ cluster, clock }), request)
    expect(answer).toMatchObject({ errorCode: 0, errorMessage: null })
    expect(answer).toHaveProperty('results.length', 4)
    const kinds = ['upgrade', 'safe-downgrade', 'unsafe-downgrade', 'unsafe-downgrade']
    const updates = ['a', 'b', 'c', 'd'].map((feature, index) => {
      return { feature, level: 3, kind: kinds[index] }
    })
    expect(cluster.asked).toEqual([['features', { updates, validateOnly: true, timeoutMs: 7_000 }]])
  })

  it.each([0, 4, -1])('refuses the kind %i and asks nothing', async (kind) => {
    const cluster = new FakeCluster()
    const answer = await ask(
      updateFeatures({ cluster, clock }),
      asking(update('a', 1), update('b', kind)),
    )
    expect(answer).toMatchObject({ errorCode: 95, results: [] })
    expect(cluster.asked).toEqual([])
  })

  it('answers for the whole when it is refused', async () => {
    const cluster = new FakeCluster()
    cluster.refusal = refusal(kafkaErrors.INVALID_UPDATE_VERSION, 'too high')
    const answer = await ask(updateFeatures({ cluster, clock }), asking(update('a', 1)))
    expect(answer).toMatchObject({ errorCode: 95, errorMessage: 'too high', results: [] })
  })
})

describe('DescribeCluster', () => {
  const broker = (nodeId: number, { isFenced }: { isFenced: boolean }) => ({
    nodeId,
    brokerEpoch: 1n,
    incarnationId: zeroTopicId,
    metadataDirectory: zeroTopicId,
    rack: null,
    endpoints: [{ listener: 'PLAINTEXT', host: 'h', port: 9091 + nodeId }],
    directories: [],
    features: [],
    isFenced,
    isShuttingDown: false,
    offlineDirectories: [],
  })
  const both = emptyImage()
  both.brokers.set(1, broker(1, { isFenced: false })).set(2, broker(2, { isFenced: true }))

  it.each([
    [false, [1]],
    [true, [1, 2]],
  ])('with fenced brokers %s: lists %j, and the controller', async (includeFencedBrokers, ids) => {
    const ports = { cluster: new FakeCluster(), metadata: { image: both } as Ports['metadata'] }
    const request = { includeClusterAuthorizedOperations: false, endpointType: 1 }
    const answer = await ask(describeCluster(ports), { ...request, includeFencedBrokers })
    expect(answer).toMatchObject({
      controllerId: 2,
      brokers: ids.map((brokerId) => ({ brokerId, isFenced: brokerId === 2 })),
    })
  })
})
