import type { TopicView } from '@naru/client'
import { confirm } from '../confirmation.ts'
import { type ConnectionOptions, topicNamed, withClient } from '../connection.ts'
import { printRows, type View } from '../output.ts'
import { counted, done } from '../style.ts'

interface Deletion {
  readonly name: string
  readonly partitions: number
  readonly records: bigint
}

export const view: View<Deletion> = {
  kind: 'TopicDeletion',
  name: ({ name }) => name,
  fields: [
    { name: 'name', type: 'string', value: ({ name }) => name },
    { name: 'partitions', type: 'int32', value: ({ partitions }) => partitions },
    { name: 'records', type: 'int64', value: ({ records }) => records },
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
    const plan = planOf(topic, await client.admin.offsets(topic))
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
  return { name, partitions: partitions.length, records }
}

function lineOf({ name, partitions, records }: Deletion): string {
  return `${name} · ${counted(partitions, 'partition')} · ${counted(records, 'record')}`
}

function sentenceOf({ name, partitions, records }: Deletion): string {
  return `delete topic ${name}, which has ${counted(partitions, 'partition')} and ${counted(records, 'record')}`
}

/** Where records would be lost, the name is typed: a habit of answering y must not be enough. */
function questionFor({ name, records }: Deletion): { answer: string; ask: string } {
  if (records === 0n) return { answer: 'y', ask: 'Delete it? (y/n)' }
  return { answer: name, ask: 'Type the name of the topic to delete it:' }
}
