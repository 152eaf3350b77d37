/** Clusters whose brokers stand in racks of their own, and let consumers read from followers there (KIP-392). */
import type { ClusterBroker } from './cluster-broker.ts'
import { createReplicated, untilWhole } from './replicated-topic.ts'
import { prepareCluster } from './reported-cluster.ts'
import type { TestCluster } from './test-cluster.ts'

const rackAware = 'org.apache.kafka.common.replica.RackAwareReplicaSelector'

export const rackOf = ({ id }: ClusterBroker) => `rack-${id}`

/** Three brokers, of which `prepare` may change more before they start, and a topic of one partition with replicas in all of them. */
export async function startRacks(
  topic: string,
  prepare: (broker: ClusterBroker) => Promise<void> = async () => {},
): Promise<TestCluster> {
  const cluster = await prepareCluster({ settings: { 'replica.selector.class': rackAware } })
  for (const broker of cluster.brokers) {
    broker.settings.set('broker.rack', rackOf(broker))
    await prepare(broker)
  }
  await cluster.startAll()
  await createReplicated(cluster, topic, 1)
  await untilWhole(cluster, topic)
  return cluster
}
