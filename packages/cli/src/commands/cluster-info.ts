import { type BrokerRow, brokerRows, brokerView } from '../broker-rows.ts'
import { type ConnectionOptions, withClient } from '../connection.ts'
import { type Format, jsonItem, printRows, table, type View } from '../output.ts'
import { counted, styled } from '../style.ts'

interface Info {
  readonly clusterId: string
  readonly controller: number
  readonly topics: number
  readonly partitions: number
  readonly brokers: readonly BrokerRow[]
}

export const view: View<Info> = {
  kind: 'ClusterInfo',
  name: ({ clusterId }) => clusterId,
  parts: { field: 'brokers', view: brokerView },
  fields: [
    { name: 'clusterId', type: 'string', value: ({ clusterId }) => clusterId },
    { name: 'controller', type: 'int32', value: (info) => controllerOf(info) },
    { name: 'topics', type: 'int32', value: ({ topics }) => topics },
    { name: 'partitions', type: 'int32', value: ({ partitions }) => partitions },
    {
      name: 'brokers',
      type: 'object[]',
      in: 'json',
      value: ({ brokers }) => brokers.map((broker) => jsonItem(brokerView, broker)),
    },
  ],
}

export function run(options: ConnectionOptions): Promise<void> {
  const { format } = options
  return withClient(options, 'describe the cluster', async ({ admin }) => {
    const cluster = await admin.cluster.describe()
    const topics = await admin.listTopics()
    const info = {
      ...cluster,
      topics: topics.length,
      partitions: topics.reduce((sum, { partitions }) => sum + partitions.length, 0),
      brokers: brokerRows(cluster, topics),
    }
    if (format === 'json' || format === 'ndjson') await printRows(view, [info], { format })
    else await printRows(brokerView, info.brokers, { format, text: () => textOf(info, format) })
  })
}

function textOf(info: Info, format: Format): string {
  const { clusterId, topics, partitions, brokers } = info
  const controller = controllerOf(info)
  const facts = [
    controller === null ? 'no controller' : `controller ${controller}`,
    counted(brokers.length, 'broker'),
    counted(topics, 'topic'),
    counted(partitions, 'partition'),
  ]
  const head = `${styled('bold', `cluster ${clusterId}`)} · ${facts.join(' · ')}\n`
  return `${head}\n${table(brokerView, brokers, format)}`
}

function controllerOf({ controller }: Info): number | null {
  return controller < 0 ? null : controller
}
