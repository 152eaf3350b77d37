import { type ConnectionOptions, withClient } from '../connection.ts'
import { printRows, type View } from '../output.ts'
import { counted, done } from '../style.ts'

export interface CreateOptions extends ConnectionOptions {
  /** Undefined leaves the number to the cluster. */
  readonly partitions?: number
  readonly replicas?: number
  readonly config?: Readonly<Record<string, string>>
  readonly dryRun?: boolean
}

interface Created {
  readonly name: string
  readonly partitions: number
  readonly replicas: number
  readonly settings: Readonly<Record<string, string>>
}

export const view: View<Created> = {
  kind: 'TopicCreation',
  name: ({ name }) => name,
  fields: [
    { name: 'name', type: 'string', value: ({ name }) => name },
    { name: 'partitions', type: 'int32', value: ({ partitions }) => partitions },
    { name: 'replicas', type: 'int32', value: ({ replicas }) => replicas },
    { name: 'settings', type: 'object', in: 'json', value: ({ settings }) => settings },
  ],
}

export function run(name: string, options: CreateOptions): Promise<void> {
  const { format, dryRun: isDry = false, config: settings = {} } = options
  return withClient(options, `create topic ${name}`, async ({ admin }) => {
    const created = await admin.createTopic(name, {
      partitions: options.partitions ?? -1,
      replicas: options.replicas ?? -1,
      configs: settings,
      validateOnly: isDry,
    })
    const row = { name, ...created, settings }
    const document = { applied: !isDry }
    await printRows(view, [row], { format, document, text: () => textOf(row, isDry) })
  })
}

function textOf({ name, partitions, replicas, settings }: Created, isDry: boolean): string {
  const size = `${counted(partitions, 'partition')} · ${counted(replicas, 'replica')}`
  const given = Object.entries(settings).map(([key, value]) => `  ${key}=${value}\n`)
  const head = isDry ? `would create ${name} · ${size}\n` : done(`created ${name} · ${size}`)
  return [head, ...given].join('')
}
