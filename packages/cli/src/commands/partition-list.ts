import type { PartitionView } from '@naru/client'
import { type ConnectionOptions, topicNamed, withClient } from '../connection.ts'
import { printRows, type View } from '../output.ts'
import { nameOf } from '../partition-name.ts'
import { type PartitionState, partitionStates, statesOf } from '../partition-state.ts'

export interface ListOptions extends ConnectionOptions {
  readonly topic?: string
  readonly leader?: number
  readonly offline?: boolean
  readonly underMinIsr?: boolean
  readonly underReplicated?: boolean
  readonly moving?: boolean
}

type Row = PartitionView & { readonly states: readonly PartitionState[] }

export const view: View<Row> = {
  kind: 'PartitionList',
  name: nameOf,
  fields: [
    { name: 'topic', type: 'string', value: ({ topic }) => topic },
    { name: 'partition', type: 'int32', value: ({ partition }) => partition },
    { name: 'leader', type: 'int32', value: ({ leader }) => (leader < 0 ? null : leader) },
    { name: 'replicas', type: 'int32[]', value: ({ replicas }) => replicas },
    { name: 'isr', type: 'int32[]', value: ({ isr }) => isr },
    { name: 'elr', type: 'int32[]', value: ({ elr }) => elr },
    { name: 'state', type: 'string[]', value: ({ states }) => states },
    { name: 'adding', type: 'int32[]', in: 'wide', value: ({ adding }) => adding },
    { name: 'removing', type: 'int32[]', in: 'wide', value: ({ removing }) => removing },
    { name: 'minIsr', type: 'int32', in: 'wide', value: ({ minIsr }) => minIsr },
    { name: 'offline', type: 'int32[]', in: 'wide', value: ({ offline }) => offline },
    { name: 'lastKnownElr', type: 'int32[]', in: 'wide', value: (row) => row.lastKnownElr },
    { name: 'leaderEpoch', type: 'int32', in: 'wide', value: ({ leaderEpoch }) => leaderEpoch },
  ],
}

export function run(options: ListOptions): Promise<void> {
  const activity = 'list partitions'
  return withClient(options, activity, async (client) => {
    const { topic } = options
    if (topic !== undefined) await topicNamed(client, topic, activity)
    const all = await client.admin.partitions.list(topic === undefined ? null : [topic])
    const rows = all.map((partition) => ({ ...partition, states: statesOf(partition) }))
    await printRows(view, rows.filter(filterOf(options)), options)
  })
}

/** Those that are in every state that is asked for. */
function filterOf({ leader, ...options }: ListOptions): (row: Row) => boolean {
  const asked: Record<PartitionState, boolean | undefined> = {
    offline: options.offline,
    'under-min-isr': options.underMinIsr,
    'under-replicated': options.underReplicated,
    moving: options.moving,
  }
  const wanted = partitionStates.filter((state) => asked[state] === true)
  return (row) =>
    (leader === undefined || row.leader === leader) &&
    wanted.every((state) => row.states.includes(state))
}
