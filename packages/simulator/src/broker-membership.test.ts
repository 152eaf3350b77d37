// The broker in the process of the controller, which no heartbeat of the quorum reminds of.
import { silentLogger } from '@naru/base'
import type { RegisteredDirectory, RequestOf } from '@naru/metadata'
import { beforeEach, describe, expect, it } from 'vitest'
import { BrokerMembership } from '../../consensus/src/broker-membership.ts'
import type { SessionHeartbeat } from '../../consensus/src/peers/frame.ts'
import { TestCluster } from '../../metadata/src/testing/cluster.ts'
import { SimulatedClock } from './simulated-clock.ts'

let clock: SimulatedClock
let cluster: TestCluster
let told: SessionHeartbeat[]
let membership: BrokerMembership
let leadsMajority: boolean
let submitted: RequestOf<'registerBroker'>[]
let directories: RegisteredDirectory[]

beforeEach(async () => {
  clock = new SimulatedClock()
  cluster = new TestCluster(2)
  cluster.start(1)
  told = []
  submitted = []
  directories = [cluster.directory(1)]
  leadsMajority = false
  membership = new BrokerMembership({
    nodeId: 1,
    directoryId: 'd',
    incarnationId: 'i',
    features: cluster.features,
    image: cluster.image,
    clock,
    logger: silentLogger,
    metadataOffset: () => 9n,
    submit: async (command) => {
      submitted.push(command)
      return { brokerEpoch: cluster.key(1).brokerEpoch }
    },
    leadsMajority: () => leadsMajority,
    sessionTimeoutMs: 2_000,
    controllerId: () => 1,
    tell: (heartbeat) => told.push(heartbeat),
    onLost() {},
  })
  await clock.drive(
    membership.register(
      async () => ({ rack: null, endpoints: [], directories }),
      async () => {},
    ),
  )
  await pass(1_000)
  told.length = 0
})

function pass(ms: number): Promise<void> {
  return clock.drive(clock.pause(ms))
}

it('asks again to take part until it does, since its controller may have refused', async () => {
  void membership.takePart()
  await pass(1_000)
  expect(told.length).toBeGreaterThan(3)
  expect(told.every(({ wantFence }) => !wantFence)).toBe(true)
  cluster.unfence(1)
  await pass(1_000)
  told.length = 0
  await pass(1_000)
  expect(told).toEqual([])
})

it('registers anew with what its disks are by then', async () => {
  expect(submitted).toMatchObject([{ directories: [{ cleanliness: 'process-crash' }] }])
  directories = []
  const { brokerEpoch } = cluster.key(1)
  membership.received({ brokerEpoch, isFenced: true, mayStop: false, sequence: 1n, isStale: true })
  await pass(1)
  expect(submitted.slice(1)).toMatchObject([{ directories: [] }])
})

it('asks the controller what became of it when it was taken out of the cluster', async () => {
  const { brokerEpoch } = cluster.key(1)
  cluster.accepted({ type: 'unregisterBroker', nodeId: 1 })
  membership.applied(cluster.records)
  await pass(1)
  expect(told).toMatchObject([{ brokerEpoch }])
})

it('asks again to stop until it may, since others may have to catch up first', async () => {
  void membership.takePart()
  cluster.unfence(1)
  let hasLeft = false
  void membership.leave().then(() => {
    hasLeft = true
  })
  await pass(700)
  expect(told.filter(({ wantShutdown }) => wantShutdown).length).toBeGreaterThan(2)
  const { brokerEpoch } = cluster.key(1)
  membership.received({ brokerEpoch, isFenced: false, mayStop: true, sequence: 1n, isStale: false })
  await pass(1)
  expect(hasLeft).toBe(true)
  membership.stop()
  told.length = 0
  await pass(1_000)
  expect(told).toEqual([])
})

describe('whether a broker may speak for what it leads', () => {
  const heard = () => {
    const { brokerEpoch } = cluster.key(1)
    const state = { brokerEpoch, isFenced: false, mayStop: false, sequence: 1n, isStale: false }
    membership.received(state)
  }

  it('it may as long as the controller cannot have fenced it for its silence', async () => {
    expect(membership.isTrusted).toBe(false)
    heard()
    expect(membership.isTrusted).toBe(true)
    await pass(1_400)
    expect(membership.isTrusted).toBe(true)
    // It stood still, or is cut off: its next request may come before any word of the controller.
    await pass(200)
    expect(membership.isTrusted).toBe(false)
    heard()
    expect(membership.isTrusted).toBe(true)
  })

  it('it may while the controller runs in it and leads a majority', () => {
    leadsMajority = true
    expect(membership.isTrusted).toBe(true)
  })

  it('what is said of another registration does not count', () => {
    const state = { isFenced: false, mayStop: false, sequence: 1n, isStale: false }
    membership.received({ ...state, brokerEpoch: cluster.key(1).brokerEpoch + 1n })
    expect(membership.isTrusted).toBe(false)
  })
})
