import type { FeatureView } from '@naru/client'
import { type ConnectionOptions, withClient } from '../connection.ts'
import { printRows, type View } from '../output.ts'

export const view: View<FeatureView> = {
  kind: 'FeatureList',
  name: ({ feature }) => feature,
  fields: [
    { name: 'feature', type: 'string', value: ({ feature }) => feature },
    { name: 'level', type: 'int32', value: ({ level }) => level },
    { name: 'supportedMin', type: 'int32', value: ({ supported }) => supported?.min },
    { name: 'supportedMax', type: 'int32', value: ({ supported }) => supported?.max },
  ],
}

export function run(options: ConnectionOptions): Promise<void> {
  return withClient(options, 'list features', async ({ admin }) => {
    await printRows(view, await admin.cluster.features(), options)
  })
}
