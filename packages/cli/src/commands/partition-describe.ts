import type { Client, NamedPartition, PartitionView } from '@naru/client'
import { type ConnectionOptions, withClient } from '../connection.ts'
import { jsonItem, printRows, table, type View } from '../output.ts'
import { nameOf, partitionNamed } from '../partition-name.ts'
import { type PartitionState, roleOf, statesOf } from '../partition-state.ts'
import { styled } from '../style.ts'

interface Replica {
  readonly name: string
  readonly broker: number
  readonly role: string
  /** Undefined from brokers that do not tell it. */
  readonly isOnline: boolean | undefined
  readonly move: 'adding' | 'removing' | undefined
}

interface Described extends PartitionView {
  readonly states: readonly PartitionState[]
  /** Undefined while there is no leader to ask. */
  readonly start: bigint | undefined
  readonly end: bigint | undefined
}

const replicaView: View<Replica> = {
  kind: 'Replica',
  name: ({ name, broker }) => `${name}@${broker}`,
  fields: [
    { name: 'broker', type: 'int32', value: ({ broker }) => broker },
    { name: 'role', type: 'string', value: ({ role }) => role },
    { name: 'online', type: 'string', value: ({ isOnline }) => yesOrNo(isOnline) },
    { name: 'move', type: 'string', value: ({ move }) => move },
  ],
}

export const view: View<Described> = {
  kind: 'PartitionDescription',
  name: nameOf,
  parts: { field: 'replicas', view: replicaView },
  fields: [
    { name: 'topic', type: 'string', value: ({ topic }) => topic },
    { name: 'partition', type: 'int32', value: ({ partition }) => partition },
    { name: 'leader', type: 'int32', value: ({ leader }) => (leader < 0 ? null : leader) },
    { name: 'leaderEpoch', type: 'int32', value: ({ leaderEpoch }) => leaderEpoch },
    { name: 'state', type: 'string[]', value: ({ states }) => states },
    { name: 'minIsr', type: 'int32', value: ({ minIsr }) => minIsr },
    { name: 'start', type: 'int64', value: ({ start }) => start },
    { name: 'end', type: 'int64', value: ({ end }) => end },
    {
      name: 'replicas',
      type: 'object[]',
      in: 'json',
      value: (row) => replicasOf(row).map((replica) => jsonItem(replicaView, replica)),
    },
  ],
}

export function run(named: NamedPartition, options: ConnectionOptions): Promise<void> {
  const { format } = options
  const activity = `describe partition ${nameOf(named)}`
  return withClient(options, activity, async (client) => {
    const described = await describe(client, named, activity)
    if (format === 'json' || format === 'ndjson') await printRows(view, [described], { format })
    else {
      const rows = replicasOf(described)
      const text = () => `${headOf(described)}\n${table(replicaView, rows, format)}`
      await printRows(replicaView, rows, { format, text })
    }
  })
}

async function describe(
  client: Client,
  named: NamedPartition,
  activity: string,
): Promise<Described> {
  await partitionNamed(client, named, activity)
  const { topic, partition: number } = named
  const all = await client.admin.partitions.list([topic])
  const found = all.find(({ partition }) => partition === number) as PartitionView
  const offsets = await client.admin.offsets({ name: topic, topicId: '', partitions: [found] })
  const { start, end } = offsets.get(number) ?? {}
  return { ...found, states: statesOf(found), start, end }
}

function replicasOf(partition: Described): Replica[] {
  const { replicas, adding, removing, offline } = partition
  return replicas.map((broker) => ({
    name: nameOf(partition),
    broker,
    role: roleOf(partition, broker),
    isOnline: offline && !offline.includes(broker),
    move: adding.includes(broker) ? 'adding' : removing.includes(broker) ? 'removing' : undefined,
  }))
}

function headOf(described: Described): string {
  const { leader, leaderEpoch, isr, replicas, minIsr, start, end, states } = described
  const parts = [
    styled('bold', nameOf(described)),
    leader < 0 ? 'no leader' : `leader ${leader}`,
    `epoch ${leaderEpoch}`,
    `${isr.length} of ${replicas.length} in sync${minIsr === undefined ? '' : `, ${minIsr} needed`}`,
    ...(start === undefined ? [] : [`offsets ${start} to ${end}`]),
    ...states,
  ]
  return `${parts.join(' · ')}\n${movingLine(described)}`
}

/** How far a reassignment has come. */
function movingLine({ adding, removing, isr }: Described): string {
  if (adding.length + removing.length === 0) return ''
  const arrived = adding.filter((id) => isr.includes(id))
  const going = removing.length === 0 ? '' : `, then ${removing.join(', ')} go`
  return `moving: ${arrived.length} of ${adding.length} that come are in sync${going}\n`
}

function yesOrNo(value: boolean | undefined): string | undefined {
  if (value === undefined) return undefined
  return value ? 'yes' : 'no'
}
