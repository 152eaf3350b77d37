import { beforeEach, expect, it } from 'vitest'
import { directoryOfBroker, TestCluster } from '../../metadata/src/testing/cluster.ts'
import type { Ports } from './ports.ts'
import { replicaView } from './replica-view.ts'

let cluster: TestCluster
beforeEach(() => {
  cluster = new TestCluster(1, 2, 3)
  cluster.topic([1, 2, 3])
})

/** As broker 1 sees it, whose own replica is fine. */
function view({ isHereOnline = true } = {}) {
  const partitions = { get: () => ({ isOnline: isHereOnline }) } as unknown as Ports['partitions']
  const metadata = { image: cluster.image } as Ports['metadata']
  return replicaView('orders', cluster.partition, { nodeId: 1, metadata, partitions })
}

it('nothing is offline', () => {
  expect(view()).toEqual({ errorCode: 0, leaderId: 1, offlineReplicas: [] })
})

it('the replicas of brokers that are fenced or not there', () => {
  cluster.fence(2, 3)
  cluster.accepted({ type: 'unregisterBroker', nodeId: 3 })
  expect(view()).toEqual({ errorCode: 0, leaderId: 1, offlineReplicas: [2, 3] })
})

it('the replicas in log directories that failed, here and elsewhere', () => {
  const directories = [directoryOfBroker(2)]
  cluster.accepted({ type: 'reportOfflineDirectories', ...cluster.key(2), directories })
  expect(view().offlineReplicas).toEqual([2])
  // The metadata does not know of this one yet.
  expect(view({ isHereOnline: false })).toEqual({
    ...{ errorCode: 5, leaderId: -1 },
    offlineReplicas: [1, 2],
  })
})

it('nobody leads', () => {
  cluster.fence(1, 2, 3)
  expect(view({ isHereOnline: false })).toMatchObject({ errorCode: 5, leaderId: -1 })
})
