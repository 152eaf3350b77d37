import { Readable } from 'node:stream'
import type { Client, NewRecord, ProducerOptions } from '@naru/client'
import { kafkaErrors, nearestName } from '@naru/model'
import { type ConnectionOptions, checkPartition, hintOfUnknown, withClient } from '../connection.ts'
import { exitCodes } from '../exit-codes.ts'
import { Failure } from '../failure.ts'
import { interruption } from '../interruption.ts'
import { type LineSender, sendLines } from '../line-sender.ts'
import { print, printRows, type View } from '../output.ts'
import { ProduceReport, type WrittenRange } from '../produce-report.ts'
import { type Input, openInput, recordOfLine } from '../record-input.ts'
import { counted, note, warn } from '../style.ts'

export interface ProduceOptions extends ConnectionOptions {
  readonly key?: string
  readonly keySeparator?: string
  readonly header?: Readonly<Record<string, string>>
  readonly partition?: number
  readonly compression: NonNullable<ProducerOptions['compression']>
  readonly tombstone?: boolean
}

export const view: View<WrittenRange> = {
  kind: 'ProduceResult',
  name: ({ topic, partition }) => `${topic}/${partition}`,
  fields: [
    { name: 'topic', type: 'string', value: ({ topic }) => topic },
    { name: 'partition', type: 'int32', value: ({ partition }) => partition },
    { name: 'records', type: 'int64', value: ({ records }) => records },
    { name: 'first', type: 'int64, an offset', value: ({ first }) => first },
    { name: 'last', type: 'int64, an offset', value: ({ last }) => last },
  ],
  ndjson:
    'one line when a record is acknowledged: line (int64), topic, partition (int32), offset (int64)',
}

/** Partitions that the summary names one by one. */
const namedPartitions = 4

export async function run(
  topic: string,
  file: string | undefined,
  options: ProduceOptions,
): Promise<void> {
  // Until the account is given no end is a success, not even that of a reader who has seen enough.
  process.exitCode = exitCodes.failed
  const input = options.tombstone === true ? tombstoneInput() : await openInput(file)
  const interrupted = interruption()
  const startedAt = performance.now()
  const report = new ProduceReport()
  await withClient(options, `write to ${topic}`, async (client, asFailure) => {
    const names = await otherTopics(client, topic, options.partition)
    if (input.isTerminal) note('Type records, one a line; Ctrl-D ends')
    {
      await using producer = client.producer({ compression: options.compression, bufferBytes })
      await sendLines({
        producer,
        input,
        report,
        interrupted,
        recordOf: recordMaker(topic, options),
        asFailure: (error) => withNearest(asFailure(error), topic, names),
        ...acknowledgements(options.format),
      })
    }
    if (names !== undefined && report.written > 0) warnOfCreation(topic, names)
  })
  await conclude(report, { topic, input, options, tookMs: performance.now() - startedAt })
  if (interrupted.aborted && !input.isTerminal) throw interruptedAfter(report)
  process.exitCode = exitCodes.ok
}

/** More than the lines that are on their way at once, and any single one. */
const bufferBytes = 128 << 20

function tombstoneInput(): Input {
  const stream = Readable.from([Buffer.from('\n')])
  return { name: 'the command line', stream, isTerminal: false }
}

/** The names of all topics, when the one that is written to is not among them and a broker would have to create it. */
async function otherTopics(
  { admin }: Client,
  topic: string,
  partition: number | undefined,
): Promise<string[] | undefined> {
  const found = await admin.findTopic(topic)
  if (found === undefined) return (await admin.listTopics()).map(({ name }) => name)
  checkPartition(found, partition, `write to ${topic}`)
  return undefined
}

function withNearest(
  failure: unknown,
  topic: string,
  names: readonly string[] | undefined,
): unknown {
  const isUnknown =
    failure instanceof Failure && failure.reason === kafkaErrors.UNKNOWN_TOPIC_OR_PARTITION.name
  if (!isUnknown || names === undefined) return failure
  return failure.rephrased(failure.message, { hint: hintOfUnknown(topic, names) })
}

function recordMaker(topic: string, options: ProduceOptions): LineSender['recordOf'] {
  const { keySeparator, partition, key = null, header: headers = {}, tombstone } = options
  const given = partition === undefined ? {} : { partition }
  const template: NewRecord = { topic, key, value: null, headers, ...given }
  return (line) => {
    if (tombstone === true) return template
    const record = recordOfLine(line, template, keySeparator)
    return record ?? `the line has no ${JSON.stringify(keySeparator)} between key and value`
  }
}

/** What is printed while it goes on. */
function acknowledgements(format: string): Pick<LineSender, 'sent' | 'lost'> {
  const line = (number: number, told: object) =>
    format === 'ndjson'
      ? print(`${JSON.stringify({ line: String(number), ...told })}\n`)
      : Promise.resolve()
  return {
    sent: (number, { topic, partition, offset }) =>
      line(number, { topic, partition, offset: String(offset) }),
    lost: (number, error) => line(number, { error }),
  }
}

function warnOfCreation(topic: string, names: readonly string[]): void {
  const nearest = nearestName(topic, names)
  const question = nearest === undefined ? '' : `; did you mean ${nearest}?`
  warn(`topic ${topic} did not exist and was created${question}`)
}

async function conclude(
  report: ProduceReport,
  {
    topic,
    input,
    options,
    tookMs,
  }: { topic: string; input: Input; options: ProduceOptions; tookMs: number },
): Promise<void> {
  const { format } = options
  const failure = report.failure(input.name)
  const document = { errors: report.errors }
  const text = () => summary(report, topic, tookMs)
  const isNothing = format === 'table' && failure !== undefined && report.written === 0
  if (format !== 'ndjson' && !isNothing) {
    await printRows(view, report.ranges, { format, text, document })
  }
  if (failure === undefined) return
  failure.isInDocument = format === 'json' || format === 'ndjson'
  throw failure
}

function summary({ ranges, written }: ProduceReport, topic: string, tookMs: number): string {
  const where = ranges.map(
    ({ partition, first, last }) =>
      `${topic}/${partition} @${first}${first === last ? '' : `–${last}`}`,
  )
  const many = `${counted(where.length, 'partition')} of ${topic}`
  const place = where.length > namedPartitions ? many : where.join(', ') || topic
  return `${counted(written, 'record')} · ${place} · acks=all · ${Math.round(tookMs)} ms\n`
}

function interruptedAfter({ read, written }: ProduceReport): Failure {
  const message = `Interrupted after line ${read}: ${counted(written, 'record')} written`
  return new Failure('INTERRUPTED', message, { exitCode: exitCodes.interrupted })
}
