import type { NamedPartition, PartitionView } from '@naru/client'
import { type ConnectionOptions, withClient } from '../connection.ts'
import { usage } from '../failure.ts'
import { printRows, type View } from '../output.ts'
import { nameOf, partitionNamed } from '../partition-name.ts'
import { done } from '../style.ts'

export interface MoveOptions extends ConnectionOptions {
  /** In order of preference. */
  readonly to?: readonly number[]
  readonly cancel?: boolean
  readonly dryRun?: boolean
}

interface Move extends NamedPartition {
  readonly before: readonly number[]
  readonly after: readonly number[]
  readonly adding: readonly number[]
  readonly removing: readonly number[]
}

export const view: View<Move> = {
  kind: 'PartitionMove',
  name: nameOf,
  fields: [
    { name: 'topic', type: 'string', value: ({ topic }) => topic },
    { name: 'partition', type: 'int32', value: ({ partition }) => partition },
    { name: 'before', type: 'int32[]', value: ({ before }) => before },
    { name: 'after', type: 'int32[]', value: ({ after }) => after },
    { name: 'adding', type: 'int32[]', value: ({ adding }) => adding },
    { name: 'removing', type: 'int32[]', value: ({ removing }) => removing },
  ],
}

export async function run(named: NamedPartition, options: MoveOptions): Promise<void> {
  const { format, to, cancel = false, dryRun: isDry = false } = options
  if ((to === undefined) !== cancel)
    throw usage('Give --to with brokers, or --cancel, and not both')
  const activity = `${cancel ? 'stop moving' : 'move'} partition ${nameOf(named)}`
  await withClient(options, activity, async (client) => {
    await partitionNamed(client, named, activity)
    const all = await client.admin.partitions.list([named.topic])
    const now = all.find(({ partition }) => partition === named.partition) as PartitionView
    if (!isDry) await client.admin.partitions.move(named, to)
    const move = moveOf(now, to)
    const text = () => (isDry ? `would ${sentenceOf(move, cancel)}\n` : doneText(move, cancel))
    await printRows(view, [move], { format, text, document: { applied: !isDry } })
  })
}

/** Another move begins from where the one under way began. */
function moveOf(
  { topic, partition, replicas, adding }: PartitionView,
  to: readonly number[] | undefined,
): Move {
  const before = replicas.filter((id) => !adding.includes(id))
  const after = to ?? before
  return {
    ...{ topic, partition, before, after },
    adding: after.filter((id) => !before.includes(id)),
    removing: before.filter((id) => !after.includes(id)),
  }
}

function sentenceOf(move: Move, isCancelled: boolean): string {
  const { before, after, adding } = move
  if (isCancelled) return `stop moving ${nameOf(move)}, which stays on ${before.join(', ')}`
  const copy = adding.length === 0 ? 'nothing is copied' : `${adding.join(', ')} to be filled first`
  return `move ${nameOf(move)} from ${before.join(', ')} to ${after.join(', ')}; ${copy}`
}

function doneText(move: Move, isCancelled: boolean): string {
  const { after, adding, removing } = move
  const name = nameOf(move)
  if (isCancelled) return done(`${name} stays on ${after.join(', ')}`)
  if (adding.length + removing.length === 0) return done(`${name} is on ${after.join(', ')}`)
  const watch = `  \`naru partition describe ${name}\` shows how far it is\n`
  return `${done(`${name} moves to ${after.join(', ')}`)}${watch}`
}
