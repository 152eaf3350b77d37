import type { NamedPartition, PartitionExplanation, ReplicaExplanation } from '@naru/client'
import { type ConnectionOptions, withClient } from '../connection.ts'
import { jsonItem, printRows, table, type View } from '../output.ts'
import { nameOf, partitionNamed } from '../partition-name.ts'
import { styled } from '../style.ts'

type Row = ReplicaExplanation & { readonly name: string }

const replicaView: View<Row> = {
  kind: 'ReplicaExplanation',
  name: ({ name, nodeId }) => `${name}@${nodeId}`,
  fields: [
    { name: 'broker', type: 'int32', value: ({ nodeId }) => nodeId },
    { name: 'state', type: 'string', value: ({ state }) => state },
    { name: 'reason', type: 'string', value: ({ reason }) => reason },
    { name: 'available', type: 'boolean', in: 'wide', value: ({ isAvailable }) => isAvailable },
    { name: 'adding', type: 'boolean', in: 'wide', value: ({ isAdded }) => isAdded },
    { name: 'removing', type: 'boolean', in: 'wide', value: ({ isRemoved }) => isRemoved },
  ],
}

export const view: View<PartitionExplanation> = {
  kind: 'PartitionExplanation',
  name: nameOf,
  parts: { field: 'replicas', view: replicaView },
  fields: [
    { name: 'topic', type: 'string', value: ({ topic }) => topic },
    { name: 'partition', type: 'int32', value: ({ partition }) => partition },
    { name: 'leader', type: 'int32', value: ({ leader }) => nodeId(leader) },
    { name: 'leaderEpoch', type: 'int32', value: ({ leaderEpoch }) => leaderEpoch },
    { name: 'partitionEpoch', type: 'int32', value: ({ partitionEpoch }) => partitionEpoch },
    { name: 'minIsr', type: 'int32', value: ({ minIsr }) => minIsr },
    { name: 'sentences', type: 'string[]', in: 'json', value: ({ sentences }) => sentences },
    { name: 'lastElection', type: 'object', in: 'json', value: electionOf },
    { name: 'lastIsrChange', type: 'object', in: 'json', value: isrChangeOf },
    {
      name: 'replicas',
      type: 'object[]',
      in: 'json',
      value: (why) => rowsOf(why).map((row) => jsonItem(replicaView, row)),
    },
  ],
}

export function run(named: NamedPartition, options: ConnectionOptions): Promise<void> {
  const { format } = options
  const activity = `explain partition ${nameOf(named)}`
  return withClient(options, activity, async (client) => {
    await partitionNamed(client, named, activity)
    const why = await client.admin.partitions.explain(named)
    if (format === 'json' || format === 'ndjson') await printRows(view, [why], { format })
    else {
      const text = () => `${wordsOf(why)}\n${table(replicaView, rowsOf(why), format)}`
      await printRows(replicaView, rowsOf(why), { format, text })
    }
  })
}

function rowsOf(why: PartitionExplanation): Row[] {
  return why.replicas.map((replica) => ({ ...replica, name: nameOf(why) }))
}

function wordsOf(why: PartitionExplanation): string {
  const { leader, leaderEpoch, lastElection, sentences } = why
  const parts = [
    styled('bold', nameOf(why)),
    leader < 0 ? 'no leader' : `leader ${leader}`,
    `epoch ${leaderEpoch}`,
    ...(lastElection?.atMs === undefined ? [] : [`since ${timeOf(lastElection.atMs)}`]),
  ]
  return `${parts.join(' · ')}\n\n${sentences.map((sentence) => `${sentence}\n`).join('')}`
}

function electionOf({ lastElection }: PartitionExplanation) {
  if (lastElection === undefined) return null
  const { leader, previous, leaderEpoch, isUnclean: unclean, cause, atMs } = lastElection
  return {
    ...{ leader: nodeId(leader), previous: nodeId(previous), leaderEpoch, unclean, cause },
    time: timeOf(atMs),
  }
}

function isrChangeOf({ lastIsrChange }: PartitionExplanation) {
  if (lastIsrChange === undefined) return null
  const { left, joined, cause, atMs } = lastIsrChange
  return { left, joined, cause, time: timeOf(atMs) }
}

function nodeId(id: number): number | null {
  return id < 0 ? null : id
}

function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}
