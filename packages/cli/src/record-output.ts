/** Records on standard output as they come, in each format; waits when the reader is slower. */
import { isUtf8 } from 'node:buffer'
import type { ConsumedRecord } from '@naru/client'
import type { Failure } from './failure.ts'
import { escaped, type Format, jsonItem, print, tsvLine, type View } from './output.ts'
import { styled } from './style.ts'

const bufferBytes = 64 << 10

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

export class RecordOutput {
  readonly #isDocument: boolean
  readonly #line: (record: ConsumedRecord) => string | Buffer
  #parts: Buffer[] = []
  #bytes = 0
  #count = 0
  #isScheduled = false

  /** `template` takes the place of the format. */
  constructor(format: Format, template?: (record: ConsumedRecord) => Buffer) {
    this.#isDocument = format === 'json' && template === undefined
    this.#line = template ?? lineOf(format)
  }

  /** Undefined when there is no need to wait. */
  write(record: ConsumedRecord): Promise<void> | undefined {
    if (this.#isDocument) this.#add(this.#count === 0 ? documentHead : ',\n')
    this.#count++
    this.#add(this.#line(record))
    if (this.#bytes >= bufferBytes) return this.#flush()
    if (!this.#isScheduled) {
      this.#isScheduled = true
      setImmediate(() => void this.#flush())
    }
    return undefined
  }

  /** A document that was begun is completed, with the failure in it. */
  async end(failure?: Failure): Promise<void> {
    if (this.#isDocument && (failure === undefined || this.#count > 0)) {
      if (this.#count === 0) this.#add(documentHead)
      this.#add(`],"errors":${JSON.stringify(failure === undefined ? [] : [failure])}}\n`)
      if (failure !== undefined) failure.isInDocument = true
    }
    await this.#flush()
  }

  #add(part: string | Buffer): void {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part
    this.#parts.push(bytes)
    this.#bytes += bytes.length
  }

  #flush(): Promise<void> {
    const data = Buffer.concat(this.#parts)
    this.#parts = []
    this.#bytes = 0
    this.#isScheduled = false
    return print(data)
  }
}

const documentHead = `{"apiVersion":"naru/v1","kind":"${recordView.kind}","items":[`

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
