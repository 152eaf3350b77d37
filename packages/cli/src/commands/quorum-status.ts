import type { QuorumView } from '@naru/client'
import { type ConnectionOptions, withClient } from '../connection.ts'
import { agoText } from '../duration.ts'
import { type Field, jsonItem, printRows, table, type View } from '../output.ts'
import { type QuorumRow, quorumRows, votersText } from '../quorum-rows.ts'
import { styled } from '../style.ts'

interface Status {
  readonly quorum: QuorumView
  readonly rows: readonly QuorumRow[]
}

const idFields: readonly Field<QuorumRow>[] = [
  { name: 'id', type: 'int32', value: ({ id }) => id },
  { name: 'role', type: 'string', value: ({ role }) => role },
  { name: 'directoryId', type: 'string', value: ({ directoryId }) => directoryId },
  { name: 'logEnd', type: 'int64', value: ({ logEnd }) => logEnd },
  { name: 'lag', type: 'int64', value: ({ lag }) => lag },
]

const replicaView: View<QuorumRow> = {
  kind: 'QuorumReplica',
  name: ({ id }) => String(id),
  fields: [
    ...idFields,
    { name: 'lastContactMs', type: 'int32', value: ({ lastContactMs }) => lastContactMs },
    { name: 'caughtUpMs', type: 'int32', value: ({ caughtUpMs }) => caughtUpMs },
    { name: 'isCaughtUp', type: 'boolean', value: ({ isCaughtUp }) => isCaughtUp },
  ],
}

/** The same for people. */
const readableView: View<QuorumRow> = {
  ...replicaView,
  fields: [
    ...idFields,
    { name: 'lastContact', type: 'string', value: ({ lastContactMs }) => agoText(lastContactMs) },
    { name: 'caughtUp', type: 'string', value: ({ caughtUpMs }) => agoText(caughtUpMs) },
  ],
}

export const view: View<Status> = {
  kind: 'QuorumStatus',
  name: ({ quorum }) => String(quorum.leader),
  parts: { field: 'replicas', view: replicaView },
  fields: [
    { name: 'leader', type: 'int32', value: ({ quorum }) => leaderOf(quorum) },
    { name: 'term', type: 'int32', value: ({ quorum }) => quorum.leaderEpoch },
    { name: 'highWatermark', type: 'int64', value: ({ quorum }) => quorum.highWatermark },
    {
      name: 'replicas',
      type: 'object[]',
      in: 'json',
      value: ({ rows }) => rows.map((row) => jsonItem(replicaView, row)),
    },
  ],
}

export function run(options: ConnectionOptions): Promise<void> {
  const { format } = options
  return withClient(options, 'show the quorum', async ({ admin }) => {
    const quorum = await admin.cluster.quorum()
    const rows = quorumRows(quorum, Date.now())
    const status = { quorum, rows }
    if (format === 'json' || format === 'ndjson') await printRows(view, [status], { format })
    else await printRows(replicaView, rows, { format, text: () => textOf(status) })
  })
}

function textOf({ quorum, rows }: Status): string {
  const { leaderEpoch: term, highWatermark } = quorum
  const leader = leaderOf(quorum)
  const who = leader === null ? 'no leader' : `leader ${leader}`
  const facts = [`term ${term}`, `high watermark ${highWatermark}`, votersText(rows)]
  return `${styled('bold', who)} · ${facts.join(' · ')}\n\n${table(readableView, rows, 'table')}`
}

function leaderOf({ leader }: QuorumView): number | null {
  return leader < 0 ? null : leader
}
