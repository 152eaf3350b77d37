import type { Client, PartitionView, TopicSetting, TopicView } from '@naru/client'
import { type ConnectionOptions, topicNamed, withClient } from '../connection.ts'
import { jsonItem, printRows, table, type View } from '../output.ts'
import { type PartitionState, statesOf } from '../partition-state.ts'
import { counted, styled } from '../style.ts'

type Partition = PartitionView & {
  readonly states: readonly PartitionState[]
  /** Undefined while there is no leader to ask. */
  readonly start: bigint | undefined
  readonly end: bigint | undefined
}

interface Described {
  readonly name: string
  readonly topicId: string
  readonly settings: readonly TopicSetting[]
  readonly partitions: readonly Partition[]
  readonly topic: TopicView
}

const settingView: View<TopicSetting> = {
  kind: 'Setting',
  name: ({ name }) => name,
  fields: [
    { name: 'setting', type: 'string', value: ({ name }) => name },
    { name: 'value', type: 'string', value: ({ value }) => value },
    { name: 'source', type: 'string', value: ({ source }) => source },
  ],
}

const partitionView: View<Partition> = {
  kind: 'Partition',
  name: ({ topic, partition }) => `${topic}/${partition}`,
  fields: [
    { name: 'partition', type: 'int32', value: ({ partition }) => partition },
    { name: 'leader', type: 'int32', value: ({ leader }) => (leader < 0 ? null : leader) },
    { name: 'replicas', type: 'int32[]', value: ({ replicas }) => replicas },
    { name: 'isr', type: 'int32[]', value: ({ isr }) => isr },
    { name: 'start', type: 'int64', value: ({ start }) => start },
    { name: 'end', type: 'int64', value: ({ end }) => end },
    { name: 'records', type: 'int64', value: recordsOf },
    { name: 'leaderEpoch', type: 'int32', in: 'wide', value: ({ leaderEpoch }) => leaderEpoch },
    { name: 'elr', type: 'int32[]', value: ({ elr }) => elr },
    { name: 'state', type: 'string[]', value: ({ states }) => states },
  ],
}

export const view: View<Described> = {
  kind: 'TopicDescription',
  name: ({ name }) => name,
  parts: { field: 'partitions', view: partitionView },
  fields: [
    { name: 'name', type: 'string', value: ({ name }) => name },
    { name: 'topicId', type: 'string', value: ({ topicId }) => topicId },
    {
      name: 'settings',
      type: 'object[]',
      in: 'json',
      value: ({ settings }) => settings.map((setting) => jsonItem(settingView, setting)),
    },
    {
      name: 'partitions',
      type: 'object[]',
      in: 'json',
      value: ({ partitions }) => partitions.map((row) => jsonItem(partitionView, row)),
    },
  ],
}

export function run(name: string, options: ConnectionOptions): Promise<void> {
  const { format } = options
  const activity = `describe topic ${name}`
  return withClient(options, activity, async (client) => {
    const described = await describe(client, await topicNamed(client, name, activity))
    if (format === 'json' || format === 'ndjson') await printRows(view, [described], { format })
    else {
      const text = () => textOf(described, format)
      await printRows(partitionView, described.partitions, { format, text })
    }
  })
}

async function describe({ admin }: Client, topic: TopicView): Promise<Described> {
  const settings = await admin.describeSettings(topic.name)
  const offsets = await admin.offsets(topic)
  const listed = await admin.partitions.list([topic.name])
  const partitions = listed.map((partition) => {
    const { start, end } = offsets.get(partition.partition) ?? {}
    return { ...partition, states: statesOf(partition), start, end }
  })
  const changed = settings.filter(({ source }) => source !== 'default')
  return { ...topic, topic, partitions, settings: changed }
}

function textOf(described: Described, format: 'table' | 'wide' | 'tsv' | 'name'): string {
  const { name, topicId, partitions, settings } = described
  const replicas = counted(partitions[0]?.replicas.length ?? 0, 'replica')
  const size = `${counted(partitions.length, 'partition')} · ${replicas}`
  const head = `${styled('bold', name)} · ${size} · id ${topicId}\n`
  const changed = settings.length === 0 ? [] : [table(settingView, settings, format)]
  return [head, ...changed, table(partitionView, partitions, format)].join('\n')
}

function recordsOf({ start, end }: Partition): bigint | undefined {
  return start === undefined || end === undefined ? undefined : end - start
}
