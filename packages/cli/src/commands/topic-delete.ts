import type { TopicView } from '@naru/client'
import { confirm } from '../confirmation.ts'
import { type ConnectionOptions, topicNamed, withClient } from '../connection.ts'
import { printRows, type View } from '../output.ts'
import { counted, done } from '../style.ts'

interface Deletion {
  readonly name: string
  readonly partitions: number
  /** Of the partitions whose leader answers. */
  readonly records: bigint
  /** Those are all. */
  readonly isCounted: boolean
}

export const view: View<Deletion> = {
  kind: 'TopicDeletion',
  name: ({ name }) => name,
  fields: [
    { name: 'name', type: 'string', value: ({ name }) => name },
    { name: 'partitions', type: 'int32', value: ({ partitions }) => partitions },
    {
      name: 'records',
      type: 'int64',
      value: ({ records, isCounted }) => (isCounted ? records : null),
    },
  ],
}

export function run(
  name: string,
  options: ConnectionOptions & { readonly yes?: boolean; readonly dryRun?: boolean },
): Promise<void> {
  const { format, dryRun: isDry = false } = options
  const activity = `delete topic ${name}`
  return withClient(options, activity, async (client) => {
    const topic = await topicNamed(client, name, activity)
    const plan = planOf(topic, await client.admin.knownOffsets(topic))
    if (!isDry && options.yes !== true) await confirm(sentenceOf(plan), questionFor(plan))
    if (!isDry) await client.admin.deleteTopic(name)
    const text = () => (isDry ? `would delete ${lineOf(plan)}\n` : done(`deleted ${lineOf(plan)}`))
    await printRows(view, [plan], { format, text, document: { applied: !isDry } })
  })
}

function planOf(
  { name, partitions }: TopicView,
  offsets: ReadonlyMap<number, { start: bigint; end: bigint }>,
): Deletion {
  const counts = [...offsets.values()].map(({ start, end }) => end - start)
  const records = counts.reduce((sum, count) => sum + count, 0n)
  const isCounted = counts.length === partitions.length
  return { name, partitions: partitions.length, records, isCounted }
}

function lineOf(plan: Deletion): string {
  return `${plan.name} · ${counted(plan.partitions, 'partition')} · ${recordsOf(plan)}`
}

function sentenceOf(plan: Deletion): string {
  const { name, partitions } = plan
  return `delete topic ${name}, which has ${counted(partitions, 'partition')} and ${recordsOf(plan)}`
}

function recordsOf({ records, isCounted }: Deletion): string {
  return `${isCounted ? '' : 'at least '}${counted(records, 'record')}`
}

/** Where records would be lost, the name is typed: a habit of answering y must not be enough. */
function questionFor({ name, records, isCounted }: Deletion): { answer: string; ask: string } {
  if (records === 0n && isCounted) return { answer: 'y', ask: 'Delete it? (y/n)' }
  return { answer: name, ask: 'Type the name of the topic to delete it:' }
}
