import { addressText, NaruError, type TopicView } from '@naru/client'
import { kafkaErrors } from '@naru/model'
import { type BrokerRow, brokerRows, brokerView } from '../broker-rows.ts'
import { type ConnectionOptions, withClient } from '../connection.ts'
import { type Format, jsonItem, printRows, table, type View } from '../output.ts'
import { counted, styled } from '../style.ts'

interface Replica {
  readonly topic: string
  readonly partition: number
  readonly role: 'leader' | 'in-sync' | 'out-of-sync'
}

interface Described {
  readonly broker: BrokerRow
  readonly partitions: readonly Replica[]
}

const replicaView: View<Replica> = {
  kind: 'Replica',
  name: ({ topic, partition }) => `${topic}/${partition}`,
  fields: [
    { name: 'topic', type: 'string', value: ({ topic }) => topic },
    { name: 'partition', type: 'int32', value: ({ partition }) => partition },
    { name: 'role', type: 'string', value: ({ role }) => role },
  ],
}

export const view: View<Described> = {
  kind: 'BrokerDescription',
  name: ({ broker }) => brokerView.name(broker),
  parts: { field: 'partitions', view: replicaView },
  fields: [
    ...brokerView.fields.map((field) => ({
      ...field,
      value: ({ broker }: Described) => field.value(broker),
    })),
    {
      name: 'partitions',
      type: 'object[]',
      in: 'json',
      value: ({ partitions }) => partitions.map((each) => jsonItem(replicaView, each)),
    },
  ],
}

export function run(id: number, options: ConnectionOptions): Promise<void> {
  const { format } = options
  return withClient(options, `describe broker ${id}`, async ({ admin }) => {
    const cluster = await admin.cluster.describe()
    const topics = await admin.listTopics()
    const rows = brokerRows(cluster, topics)
    const broker = rows.find(({ nodeId }) => nodeId === id) ?? unknown(id, rows)
    const described = { broker, partitions: replicasOf(id, topics) }
    if (format === 'json' || format === 'ndjson') await printRows(view, [described], { format })
    else {
      const text = () => textOf(described, format)
      await printRows(replicaView, described.partitions, { format, text })
    }
  })
}

function unknown(id: number, rows: readonly BrokerRow[]): never {
  const kafka = kafkaErrors.BROKER_ID_NOT_REGISTERED
  const message = `Cannot describe broker ${id}: there is none (${kafka.name}, ${kafka.code})`
  const hint = `Brokers are ${rows.map(({ nodeId }) => nodeId).join(', ')}`
  throw new NaruError('NARU_BROKER', message, { kafka, hint })
}

function replicasOf(id: number, topics: readonly TopicView[]): Replica[] {
  return topics.flatMap(({ name: topic, partitions }) =>
    partitions
      .filter(({ replicas }) => replicas.includes(id))
      .map(({ partition, leader, isr }) => {
        const follower = isr.includes(id) ? 'in-sync' : 'out-of-sync'
        return { topic, partition, role: leader === id ? 'leader' : follower }
      }),
  )
}

function textOf({ broker, partitions }: Described, format: Format): string {
  const { nodeId, isFenced, isController, rack } = broker
  const facts = [
    addressText(broker),
    isFenced ? 'fenced' : 'alive',
    ...(isController ? ['controller'] : []),
    ...(rack === null ? [] : [`rack ${rack}`]),
    `leads ${broker.leads} of ${counted(broker.replicas, 'partition')}`,
  ]
  const head = `${styled('bold', `broker ${nodeId}`)} · ${facts.join(' · ')}\n`
  if (partitions.length === 0) return head
  return `${head}\n${table(replicaView, partitions, format)}`
}
