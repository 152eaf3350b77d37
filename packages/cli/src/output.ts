/** How results are printed: one place for all commands. Standard output has the result only; everything else goes to standard error. */
import { once } from 'node:events'
import type { Failure } from './failure.ts'
import { styled } from './style.ts'

export const formats = ['table', 'wide', 'json', 'ndjson', 'tsv', 'name'] as const
export type Format = (typeof formats)[number]

/** A column of tables and tsv, and a field of JSON items. */
export interface Field<Row> {
  readonly name: string
  readonly type: string
  readonly value: (row: Row) => unknown
  /** Where it is shown besides JSON: everywhere, everywhere but in `table`, or nowhere. */
  readonly in?: 'wide' | 'json'
}

/** What a command gives, whatever the format. */
export interface View<Row> {
  readonly kind: string
  readonly fields: readonly Field<Row>[]
  /** The line of the format `name`. */
  readonly name: (row: Row) => string
  /** What the lines of `ndjson` are when they are not the items. */
  readonly ndjson?: string
  /** What the lines of `table`, `tsv` and `name` are when they are parts of the items. */
  readonly parts?: { readonly field: string; readonly view: View<never> }
}

export interface Document {
  /** Whether it was done, for commands that change something. */
  readonly applied?: boolean
  /** The answer, for commands that ask whether all is well. */
  readonly healthy?: boolean
  readonly errors?: readonly unknown[]
}

/** Prints rows in a format. `text` is what a person reads instead of a table. */
export async function printRows<Row>(
  view: View<Row>,
  rows: readonly Row[],
  { format, text, document = {} }: { format: Format; text?: () => string; document?: Document },
): Promise<void> {
  await print(
    render(view, rows, { format, document, text: text ?? (() => table(view, rows, format)) }),
  )
}

function render<Row>(
  view: View<Row>,
  rows: readonly Row[],
  { format, text, document }: { format: Format; text: () => string; document: Document },
): string {
  switch (format) {
    case 'table':
    case 'wide':
      return text()
    case 'json':
      return documentText(view.kind, { ...document, items: rows.map((row) => jsonItem(view, row)) })
    case 'ndjson':
      return lines(rows.map((row) => JSON.stringify(jsonItem(view, row))))
    case 'tsv':
      return lines(rows.map((row) => tsvLine(view, row)))
    case 'name':
      return lines(rows.map((row) => view.name(row)))
  }
}

/** The one document of the format `json`. */
export function documentText(
  kind: string,
  { items, errors = [], ...rest }: Document & { readonly items: readonly unknown[] },
): string {
  return `${JSON.stringify({ apiVersion: 'naru/v1', kind, ...rest, items, errors })}\n`
}

/** The document of a command that failed as a whole. */
export function failureDocument(failure: Failure): string {
  return `${JSON.stringify({ apiVersion: 'naru/v1', kind: 'Error', error: failure })}\n`
}

export function jsonItem<Row>(view: View<Row>, row: Row): Record<string, unknown> {
  return Object.fromEntries(view.fields.map(({ name, value }) => [name, jsonValue(value(row))]))
}

/** 64-bit numbers are strings: a reader that parses them as doubles would change them. */
function jsonValue(value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : (value ?? null)
}

export function tsvLine<Row>(view: View<Row>, row: Row): string {
  return columnsOf(view, 'tsv')
    .map(({ value }) => escaped(cell(value(row))))
    .join('\t')
}

/** Columns without borders, two spaces apart, numbers to the right. */
export function table<Row>(view: View<Row>, rows: readonly Row[], format: Format): string {
  const columns = columnsOf(view, format)
  const texts = rows.map((row) => columns.map(({ value }) => cell(value(row))))
  const header = columns.map(({ name }) => titleOf(name))
  const widths = header.map((title, index) =>
    Math.max(title.length, ...texts.map((row) => (row[index] as string).length)),
  )
  const line = (cells: readonly string[]) =>
    cells
      .map((text, index) => {
        const width = widths[index] as number
        return isNumber(columns[index]) ? text.padStart(width) : text.padEnd(width)
      })
      .join('  ')
      .trimEnd()
  return lines([styled('bold', line(header)), ...texts.map(line)])
}

/** Writes to standard output; waits while its reader is slower. */
export async function print(data: string | Buffer): Promise<void> {
  if (data.length > 0 && !process.stdout.write(data)) await once(process.stdout, 'drain')
}

function columnsOf<Row>(view: View<Row>, format: Format): readonly Field<Row>[] {
  return view.fields.filter(
    (field) => field.in !== 'json' && (field.in !== 'wide' || format !== 'table'),
  )
}

function isNumber(field: { readonly type: string } | undefined): boolean {
  return field?.type === 'int32' || field?.type === 'int64'
}

/** `minInsync` as `MIN INSYNC`. */
function titleOf(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter}`).toUpperCase()
}

function cell(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.join(',')
  return value === null || value === undefined || value === '' ? '-' : String(value)
}

/** One line for one record, whatever is in it. */
export function escaped(text: string): string {
  return text.replace(/[\p{Cc}\\]/gu, (character) => escapes[character] ?? hexEscape(character))
}

const escapes: Partial<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\\': '\\\\',
}

function hexEscape(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('')
}
