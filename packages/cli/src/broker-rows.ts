import { addressText, type BrokerView, type ClusterView, type TopicView } from '@naru/client'
import type { View } from './output.ts'

export interface BrokerRow extends BrokerView {
  readonly isController: boolean
  /** Partitions of which it is the leader. */
  readonly leads: number
  /** Partitions of which it has a replica, and of which it is in sync. */
  readonly replicas: number
  readonly inSync: number
}

export const brokerView: View<BrokerRow> = {
  kind: 'BrokerList',
  name: ({ nodeId }) => String(nodeId),
  fields: [
    { name: 'id', type: 'int32', value: ({ nodeId }) => nodeId },
    { name: 'address', type: 'string', value: addressText },
    { name: 'state', type: 'string', value: ({ isFenced }) => (isFenced ? 'fenced' : 'alive') },
    {
      name: 'controller',
      type: 'string',
      value: ({ isController }) => (isController ? 'yes' : 'no'),
    },
    { name: 'leads', type: 'int32', value: ({ leads }) => leads },
    { name: 'replicas', type: 'int32', value: ({ replicas }) => replicas },
    { name: 'inSync', type: 'int32', value: ({ inSync }) => inSync },
    { name: 'rack', type: 'string', in: 'wide', value: ({ rack }) => rack },
  ],
}

export function brokerRows(
  { brokers, controller }: ClusterView,
  topics: readonly TopicView[],
): BrokerRow[] {
  const partitions = topics.flatMap((topic) => topic.partitions)
  return brokers.map((broker) => {
    const { nodeId } = broker
    const held = partitions.filter(({ replicas }) => replicas.includes(nodeId))
    return {
      ...broker,
      isController: nodeId === controller,
      leads: held.filter(({ leader }) => leader === nodeId).length,
      replicas: held.length,
      inSync: held.filter(({ isr }) => isr.includes(nodeId)).length,
    }
  })
}
