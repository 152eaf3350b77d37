import { brokerRows, brokerView } from '../broker-rows.ts'
import { type ConnectionOptions, withClient } from '../connection.ts'
import { printRows } from '../output.ts'

export const view = brokerView

export function run(options: ConnectionOptions): Promise<void> {
  return withClient(options, 'list brokers', async ({ admin }) => {
    const rows = brokerRows(await admin.cluster.describe(), await admin.listTopics())
    await printRows(view, rows, options)
  })
}
