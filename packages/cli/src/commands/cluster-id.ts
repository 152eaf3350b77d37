import { type ConnectionOptions, withClient } from '../connection.ts'
import { printRows, type View } from '../output.ts'

export const view: View<{ readonly clusterId: string }> = {
  kind: 'ClusterId',
  name: ({ clusterId }) => clusterId,
  fields: [{ name: 'clusterId', type: 'string', value: ({ clusterId }) => clusterId }],
}

export function run(options: ConnectionOptions): Promise<void> {
  return withClient(options, 'tell the id of the cluster', async ({ admin }) => {
    const { clusterId } = await admin.cluster.describe()
    const text = () => `${clusterId}\n`
    await printRows(view, [{ clusterId }], { format: options.format, text })
  })
}
