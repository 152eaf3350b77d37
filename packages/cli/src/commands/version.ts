import { type Format, printRows, type View } from '../output.ts'
import { version } from '../version.ts'

interface Versions {
  readonly naru: string
  readonly node: string
  readonly platform: string
}

export const view: View<Versions> = {
  kind: 'Version',
  name: ({ naru }) => naru,
  fields: [
    { name: 'naru', type: 'string', value: ({ naru }) => naru },
    { name: 'node', type: 'string', value: ({ node }) => node },
    { name: 'platform', type: 'string', value: ({ platform }) => platform },
  ],
}

export function run({ format }: { format: Format }): Promise<void> {
  const node = process.versions.node
  const row = { naru: version, node, platform: `${process.platform}-${process.arch}` }
  const text = () => `naru ${version} · Node ${node} · ${row.platform}\n`
  return printRows(view, [row], { format, text })
}
