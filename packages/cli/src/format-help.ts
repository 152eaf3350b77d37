/** What `--format help` prints: columns, types and the shape of the JSON, without asking any cluster. */
import { type Field, type Format, table, type View } from './output.ts'

export function formatHelp(view: View<never>, allowed: readonly Format[]): string {
  const line = view.parts?.view ?? view
  const rows = [
    ...fieldRows('', view, view === line ? shown : () => 'json, ndjson'),
    ...(view === line ? [] : fieldRows(`${view.parts?.field}[].`, line, shown)),
  ]
  const shape = { apiVersion: 'naru/v1', kind: view.kind, items: ['…'], errors: ['…'] }
  return [
    `Formats: ${allowed.join(', ')}`,
    '',
    table({ kind: '', name: () => '', fields: helpFields }, rows, 'table').trimEnd(),
    '',
    'json    one document:',
    `        ${JSON.stringify(shape).replaceAll('"…"', '…')}`,
    '        int64 is a string, because JSON numbers are exact up to 2^53 only; a failure is',
    '        {"apiVersion":"naru/v1","kind":"Error","error":{"code":…,"reason":…,"message":…,"hint":…,"docs":…}}',
    `ndjson  ${view.ndjson ?? 'one item a line'}`,
    'tsv     no header, columns in this order, - for empty; tab, newline and backslash as \\t, \\n, \\\\',
    'name    one name a line',
    '',
  ]
    .filter(
      (text) => !/^(ndjson|tsv|name) /.test(text) || allowed.some((name) => text.startsWith(name)),
    )
    .join('\n')
}

interface HelpRow {
  readonly field: string
  readonly type: string
  readonly in: string
}

const helpFields: readonly Field<HelpRow>[] = [
  { name: 'field', type: 'string', value: (row) => row.field },
  { name: 'type', type: 'string', value: (row) => row.type },
  { name: 'shown in', type: 'string', value: (row) => row.in },
]

function fieldRows(
  prefix: string,
  view: View<never>,
  where: (field: Field<never>) => string,
): HelpRow[] {
  return view.fields.map((field) => {
    return { field: `${prefix}${field.name}`, type: field.type, in: where(field) }
  })
}

function shown({ in: only }: Field<never>): string {
  if (only === 'json') return 'json, ndjson'
  return only === 'wide' ? 'all but table' : 'all'
}
