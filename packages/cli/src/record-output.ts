/** Records on standard output, in each format. */
import { isUtf8 } from 'node:buffer'
import type { ConsumedRecord } from '@naru/client'
import { escaped, type Format, jsonItem, tsvLine, type View } from './output.ts'
import { RowStream } from './row-stream.ts'
import { styled } from './style.ts'

export const recordView: View<ConsumedRecord> = {
  kind: 'RecordList',
  name: positionOf,
  fields: [
    { name: 'topic', type: 'string', value: ({ topic }) => topic },
    { name: 'partition', type: 'int32', value: ({ partition }) => partition },
    { name: 'offset', type: 'int64', value: ({ offset }) => offset },
    {
      name: 'timestamp',
      type: 'int64, milliseconds since 1970',
      value: ({ timestamp }) => timestamp,
    },
    { name: 'key', type: 'string or null', value: ({ key }) => textOf(key) },
    { name: 'value', type: 'string or null', value: ({ value }) => textOf(value) },
    {
      name: 'headers',
      type: 'object[] of key and value',
      in: 'json',
      value: ({ headers }) => headers.map(({ key, value }) => ({ key, value: textOf(value) })),
    },
    {
      name: 'base64',
      type: 'string[]: which of key, value and headers are in base64, because they are not UTF-8',
      in: 'json',
      value: binaryFields,
    },
  ],
}

/** `template` takes the place of the format. */
export function recordOutput(
  format: Format,
  template?: (record: ConsumedRecord) => Buffer,
): RowStream<ConsumedRecord> {
  if (template !== undefined) return new RowStream(template)
  return new RowStream(lineOf(format), format === 'json' ? recordView.kind : undefined)
}

function lineOf(format: Format): (record: ConsumedRecord) => string {
  switch (format) {
    case 'table':
      return (record) => `${personLine(record)}\n`
    case 'wide':
      return (record) => `${personLine(record)}${detailsOf(record)}\n`
    case 'json':
      return (record) => JSON.stringify(jsonItem(recordView, record))
    case 'ndjson':
      return (record) => `${JSON.stringify(jsonItem(recordView, record))}\n`
    case 'tsv':
      return (record) => `${tsvLine(recordView, record)}\n`
    case 'name':
      return (record) => `${positionOf(record)}\n`
  }
}

function positionOf({ topic, partition, offset }: ConsumedRecord): string {
  return `${topic}/${partition}@${offset}`
}

function personLine(record: ConsumedRecord): string {
  const value = record.value === null ? styled('dim', '(tombstone)') : readable(record.value)
  const key = record.key === null ? '-' : readable(record.key)
  return `${styled('dim', positionOf(record))}  ${key}  ${value}`
}

function detailsOf({ timestamp, headers }: ConsumedRecord): string {
  const time = timestamp < 0n ? '-' : new Date(Number(timestamp)).toISOString()
  const texts = headers.map(({ key, value }) => `${key}=${value === null ? '' : readable(value)}`)
  return `  ${styled('dim', [time, ...texts].join('  '))}`
}

/** One line, harmless to the terminal. */
function readable(bytes: Buffer): string {
  return isUtf8(bytes) ? escaped(bytes.toString('utf8')) : `0x${bytes.toString('hex')}`
}

function textOf(bytes: Buffer | null): string | null {
  return bytes?.toString(isUtf8(bytes) ? 'utf8' : 'base64') ?? null
}

function binaryFields({ key, value, headers }: ConsumedRecord): string[] {
  const found: string[] = []
  if (key !== null && !isUtf8(key)) found.push('key')
  if (value !== null && !isUtf8(value)) found.push('value')
  for (const header of headers) {
    if (header.value !== null && !isUtf8(header.value)) found.push(`headers.${header.key}`)
  }
  return found
}
