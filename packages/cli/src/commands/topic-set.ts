import type { TopicSetting } from '@naru/client'
import { nearestName } from '@naru/model'
import { type ConnectionOptions, topicNamed, withClient } from '../connection.ts'
import { usage } from '../failure.ts'
import { printRows, type View } from '../output.ts'
import { done } from '../style.ts'

interface Change {
  readonly topic: string
  readonly setting: string
  readonly before: string | null
  /** Undefined for the default. */
  readonly after: string | undefined
}

export const view: View<Change> = {
  kind: 'TopicChange',
  name: ({ topic }) => topic,
  fields: [
    { name: 'topic', type: 'string', value: ({ topic }) => topic },
    { name: 'setting', type: 'string', value: ({ setting }) => setting },
    { name: 'before', type: 'string', value: ({ before }) => before },
    { name: 'after', type: 'string, empty for the default', value: ({ after }) => after },
  ],
}

export function run(
  name: string,
  wanted: Readonly<Record<string, string>>,
  options: ConnectionOptions & { readonly dryRun?: boolean },
): Promise<void> {
  const { format, dryRun: isDry = false } = options
  const activity = `configure topic ${name}`
  return withClient(options, activity, async (client) => {
    await topicNamed(client, name, activity)
    const changes = changesOf(name, wanted, await client.admin.describeSettings(name))
    const settings = Object.fromEntries(changes.map(({ setting, after }) => [setting, after]))
    await client.admin.alterSettings(name, settings, { validateOnly: isDry })
    const document = { applied: !isDry }
    await printRows(view, changes, { format, document, text: () => textOf(name, changes, isDry) })
  })
}

/** An empty value stands for the default. */
function changesOf(
  topic: string,
  wanted: Readonly<Record<string, string>>,
  settings: readonly TopicSetting[],
): Change[] {
  const current = new Map(settings.map((setting) => [setting.name, setting.value]))
  return Object.entries(wanted).map(([setting, value]) => {
    const before = current.get(setting)
    if (before === undefined) {
      const nearest = nearestName(setting, current.keys())
      const known = `Settings are ${[...current.keys()].join(', ')}`
      const hint = nearest === undefined ? known : `Did you mean ${nearest}?`
      throw usage(`Cannot configure topic ${topic}: there is no setting ${setting}`, hint)
    }
    return { topic, setting, before, after: value === '' ? undefined : value }
  })
}

function textOf(topic: string, changes: readonly Change[], isDry: boolean): string {
  const rows = changes.map(({ setting, before, after }) => {
    return `  ${setting}  ${before ?? '-'} → ${after ?? 'the default'}\n`
  })
  const head = isDry ? `would configure ${topic}\n` : done(`configured ${topic}`)
  return [head, ...rows].join('')
}
