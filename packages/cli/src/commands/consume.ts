import type { ConsumedRecord, Position } from '@naru/client'
import { type ConnectionOptions, usage, withClient } from '../connection.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import { printJson } from '../output.ts'
import { parsePosition } from '../position.ts'

interface ConsumeOptions extends ConnectionOptions {
  readonly offset: string
  readonly partition?: string
  readonly number?: string
  readonly exit?: boolean
}

/** Prints records until there are enough, the end is reached, or somebody interrupts. */
export function consume(topic: string, options: ConsumeOptions): Promise<void> {
  const from = position(options.offset)
  const limit = number(options.number, '--number') ?? Number.POSITIVE_INFINITY
  const partition = number(options.partition, '--partition')
  process.on('SIGINT', () => process.exit(exitCodes.ok))
  return withClient(options, async (client) => {
    let count = 0
    if (limit === 0) return
    const records = client.consume(topic, {
      from,
      untilEnd: options.exit === true,
      ...(partition === undefined ? {} : { partitions: [partition] }),
    })
    for await (const record of records) {
      print(record, options.format)
      if (++count >= limit) return
    }
  })
}

function print(record: ConsumedRecord, format: string): void {
  const { topic, partition, offset, timestamp } = record
  const key = record.key?.toString('utf8') ?? null
  const value = record.value?.toString('utf8') ?? null
  if (format === 'json') {
    const headers = record.headers.map((header) => {
      return { key: header.key, value: header.value?.toString('utf8') ?? null }
    })
    printJson({ topic, partition, offset, timestamp, key, value, headers })
    return
  }
  console.log(`${topic}/${partition}@${offset}  ${key ?? '-'}  ${value ?? '(tombstone)'}`)
}

function position(text: string): Position {
  const found = parsePosition(text, Date.now())
  if (found !== undefined) return found
  const hint = 'Write start, end, an offset, -N for N before the end, or @TIME (@-10m, @2026-01-31)'
  throw new Failure(`Cannot read offset "${text}"`, usage(hint))
}

function number(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined
  const found = Number(text)
  if (Number.isInteger(found) && found >= 0) return found
  throw new Failure(`${flag} ${text} is not a number`, usage())
}
