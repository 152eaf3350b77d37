import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Client, NewRecord, Sent } from '@naru/client'
import { type CompressionType, compressionTypes } from '@naru/records'
import { type ConnectionOptions, usage, withClient } from '../connection.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import { printJson } from '../output.ts'

interface ProduceOptions extends ConnectionOptions {
  readonly key?: string
  readonly keySeparator?: string
  readonly header: readonly string[]
  readonly partition?: string
  readonly compression: string
  readonly tombstone?: boolean
}

/** Records on the way at once: what a fast file may fill before the cluster has answered. */
const inFlightMax = 10_000

export function produce(
  topic: string,
  file: string | undefined,
  options: ProduceOptions,
): Promise<void> {
  const compression = options.compression as CompressionType
  if (!compressionTypes.includes(compression)) {
    const hint = `Codecs are ${compressionTypes.join(', ')}`
    throw new Failure(`Unknown codec ${compression}`, usage(hint))
  }
  const template = templateOf(topic, options)
  return withClient(options, async (client) => {
    const started = performance.now()
    const sent = await sendAll(client, compression, recordsOf(template, file, options))
    report(sent, { topic, tookMs: performance.now() - started, format: options.format })
  })
}

function templateOf(topic: string, options: ProduceOptions): NewRecord {
  const headers: Record<string, string> = {}
  for (const text of options.header) {
    const at = text.indexOf('=')
    if (at < 1) throw new Failure(`Cannot read header "${text}"`, usage('Write key=value'))
    headers[text.slice(0, at)] = text.slice(at + 1)
  }
  const partition = options.partition === undefined ? undefined : Number(options.partition)
  if (partition !== undefined && !(Number.isInteger(partition) && partition >= 0)) {
    throw new Failure(`Partition ${options.partition} is not a number`, usage())
  }
  if (options.tombstone === true && options.key === undefined) {
    throw new Failure('A tombstone needs a key', usage('Add --key'))
  }
  const key = options.key ?? null
  return { topic, key, value: null, headers, ...(partition === undefined ? {} : { partition }) }
}

async function* recordsOf(
  template: NewRecord,
  file: string | undefined,
  options: ProduceOptions,
): AsyncGenerator<NewRecord> {
  if (options.tombstone === true) {
    yield template
    return
  }
  const path = file === undefined || file === '-' ? undefined : file
  const input =
    path === undefined
      ? process.stdin
      : createReadStream(resolve(process.env['INIT_CWD'] ?? '.', path))
  input.on('error', (error: Error) => {
    process.stderr.write(`Cannot read ${path}: ${error.message}\n`)
    process.exit(exitCodes.usage)
  })
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    const at = options.keySeparator === undefined ? -1 : line.indexOf(options.keySeparator)
    if (at < 0) yield { ...template, value: line }
    else {
      const value = line.slice(at + (options.keySeparator?.length ?? 0))
      yield { ...template, key: line.slice(0, at), value }
    }
  }
}

async function sendAll(
  client: Client,
  compression: CompressionType,
  records: AsyncGenerator<NewRecord>,
): Promise<Sent[]> {
  await using producer = client.producer({ compression })
  const sent: Sent[] = []
  let inFlight: Promise<Sent>[] = []
  for await (const record of records) {
    inFlight.push(producer.send(record))
    if (inFlight.length < inFlightMax) continue
    sent.push(...(await Promise.all(inFlight)))
    inFlight = []
  }
  sent.push(...(await Promise.all(inFlight)))
  return sent
}

function report(
  sent: readonly Sent[],
  { topic, tookMs, format }: { topic: string; tookMs: number; format: string },
): void {
  const ranges = new Map<number, { first: bigint; last: bigint }>()
  for (const { partition, offset } of sent) {
    const range = ranges.get(partition) ?? { first: offset, last: offset }
    ranges.set(partition, { first: range.first, last: offset })
  }
  const partitions = [...ranges].map(([partition, range]) => ({ partition, ...range }))
  if (format === 'json') {
    printJson({ kind: 'Produced', topic, records: sent.length, partitions })
    return
  }
  const where = partitions
    .map(
      ({ partition, first, last }) =>
        `${topic}/${partition} @${first}${first === last ? '' : `–${last}`}`,
    )
    .join(', ')
  const many = sent.length === 1 ? 'record' : 'records'
  console.log(`${sent.length} ${many} · ${where || topic} · acks=all · ${Math.round(tookMs)} ms`)
}
